#!/usr/bin/env python3
"""Pin every dependency with hashes in requirements.lock and ops/requirements-dev.lock. Called by `make lock`.

Both are for Python 3.11 to 3.14 on every platform. They name no download address: pip uses the index that the machine is set to.
Arguments go on to the resolver: `make lock ARGS=--upgrade` takes the newest of everything.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")
PLAIN = (
    "--universal",
    "--generate-hashes",
    "--python-version",
    "3.11",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--quiet",
)
HEAD = "# Every dependency, pinned with hashes. Written by `make lock`; do not edit.\n"
LOCKS = {
    "requirements.lock": (),
    "ops/requirements-dev.lock": ("--group", "dev", "--constraint", "requirements.lock"),
}


def lock(target: str, *, extra: tuple[str, ...], arguments: list[str]) -> None:
    """Resolve one lock in place: pins that still fit are kept, unless an argument asks for newer ones."""
    command = [str(UV), "pip", "compile", "pyproject.toml", *PLAIN, *extra, *arguments, "--output-file", target]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603 - our own command
    path = ROOT / target
    body = path.read_text(encoding="utf-8").removeprefix(HEAD)
    path.write_text(HEAD + body, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the run lock first; the dev lock agrees with it."""
    for target, extra in LOCKS.items():
        lock(target, extra=extra, arguments=arguments)
        sys.stdout.write(f"{target} written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
