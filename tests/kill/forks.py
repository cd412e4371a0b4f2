"""Starts the demo over and over from one warm process: it imports once, then forks a child for each line `OUT URL` on stdin."""

import os
import sys
import traceback
from pathlib import Path

from moderator import logs
from moderator.cli.serve import rehearse


def main() -> None:
    """Read a line, fork, answer with the child's number; the child runs the demo to its end and exits 0."""
    logs.set_up()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        out, url = line.split()
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            try:
                rehearse(Path(out), comments=None, practice_url=url, once=True, listen_port=0)
            except BaseException:  # noqa: BLE001 - the child's end is told by its exit code
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


main()
