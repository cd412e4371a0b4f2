"""Benchmarks of the check of records: `verify` and `verify_two_cores` (DESIGN §9). Run by `make bench`, or as a script."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.filled import fill
from bench.sample import in_turns, row
from moderator.evidence.check.verify import verify as check

RECORDS = 5_000
_THEIRS = "find . -type f -print0 | xargs -0 sha256sum > /dev/null"


def verify() -> dict[str, object]:
    """Return MB a second that `moderator verify` checks on one core, against `sha256sum` over the same files on one core.

    Ours hashes each file twice (SHA-256 and SHA-512), checks manifests, signature and ledger; theirs prints one hash.
    """
    return _measured(workers=1, target=0.7)


def verify_two_cores() -> dict[str, object]:
    """Return the same with two processes, still against one `sha256sum`."""
    return _measured(workers=2, target=1.0)


def _measured(*, workers: int, target: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        fill(top, RECORDS)
        size = sum(path.stat().st_size for path in (top / "vault").rglob("*") if path.is_file()) / 1e6

        def ours() -> None:
            found = check(top / "vault", workers=workers)
            if not found.ok or found.checked != RECORDS:
                message = f"the bench vault does not verify: {found.faults[:3]}"
                raise RuntimeError(message)

        def theirs() -> None:
            subprocess.run(["bash", "-c", _THEIRS], cwd=top / "vault", check=True)  # noqa: S603, S607 - a fixed command

        mine, other = in_turns(ours, theirs)
    return row(
        size / mine, size / other, target=target, unit="MB/s", against="sha256sum over the same files, one process, by find and xargs"
    )


if __name__ == "__main__":
    for bench in (verify, verify_two_cores):
        sys.stdout.write(json.dumps({"name": bench.__name__, **bench()}) + "\n")
