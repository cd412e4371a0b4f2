"""The object store of the tests: found where `make test` put it, started on loopback, and a bucket with Object Lock for each test."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # the library has no types
import pytest
from botocore.config import Config  # type: ignore[import-untyped]  # as above

from moderator.evidence.vault.bucket import S3Place

ROOT = Path(__file__).resolve().parents[1]
SERVER = Path(__file__).with_name("evidence") / "object_store_server.py"
REGION = "eu-west-2"
_names = count(1)


def python() -> str:
    """Return the Python that has the object store. Fails the test where it was not set up."""
    named = os.environ.get("OBJECT_STORE_PYTHON")
    found = Path(named) if named else ROOT / ".cache" / "objectstore" / "env" / "bin" / "python"
    if not found.exists():
        pytest.fail("the object store is not on this machine: run `make test`, which installs it")
    return str(found)


class Store:
    """The running store. `client` is an administrator's, apart from the vault's own."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.folder = folder
        for name, text in (("access", "test-access"), ("secret", "test-secret")):
            (folder / name).write_text(text, encoding="ascii")
        self.client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test-access",
            aws_secret_access_key="test-secret",  # noqa: S106 - the test server's own
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def place(self, bucket: str, *, prefix: str = "records", retain_days: int = 30) -> S3Place:
        """Return the settings of a vault in a bucket."""
        return S3Place(
            bucket,
            prefix=prefix,
            region=REGION,
            endpoint_url=self.url,
            access_key_file=str(self.folder / "access"),
            secret_key_file=str(self.folder / "secret"),
            retain_days=retain_days,
        )

    def bucket(self, *, lock: bool = True) -> str:
        """Make a new bucket and return its name."""
        name = f"vault-{next(_names)}"
        settings = {"LocationConstraint": REGION}
        self.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock, CreateBucketConfiguration=settings)
        return name


@contextmanager
def started(folder: Path) -> Iterator[Store]:
    """Run the store until the block ends; everything it writes lies in `folder`."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder), "FILESYSTEM_ROOT": str(folder)}
    said = folder / "said.txt"
    with said.open("wb") as log:
        running = subprocess.Popen([python(), str(SERVER)], stdout=subprocess.PIPE, stderr=log, cwd=folder, env=environment)
    try:
        port = (running.stdout.readline() if running.stdout else b"").strip()
        if not port.isdigit():
            pytest.fail(f"the object store did not start: {said.read_text(errors='replace')[-500:]}")
        yield Store(int(port), folder)
    finally:
        running.kill()
        running.communicate()
