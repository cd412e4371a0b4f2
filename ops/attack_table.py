#!/usr/bin/env python3
"""Do each of RECORD.md's ten attacks to a fresh vault and print a Markdown table of what caught it. Run by hand, for a release's notes.

`python -B ops/attack_table.py`. The attacks are those of the tests (tests/attacks.py); the check is `moderator verify` as a person calls
it; the steps are the commands of the record's own VERIFY.txt, run with bash, the core utilities and openssl alone.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE / "tests"))

import attacks  # noqa: E402 - the tests' own folder, just added
from stranger import tools  # noqa: E402 - the same

_LIVES = 8
_LONGEST = 160


def _verify(world: attacks.World) -> tuple[str, int, list[str]]:
    """Return the command as typed, its exit status and the fault lines it printed."""
    head = f"{world.head.seq}:{world.head.hash}"
    command = [sys.executable, "-B", "-m", "moderator", "verify", str(world.vault), "--head", head]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)  # noqa: S603 - this very Python
    lines = [line for line in done.stdout.splitlines() if line.endswith("]") or "checked" in line]
    return f"moderator verify vault --head {head[:12]}…", done.returncode, lines


def _cell(text: str) -> str:
    text = text.replace("|", "\\|")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _row(number: int, name: str, world: attacks.World, attempt: attacks.Attempt, scratch: Path) -> str:
    command, status, lines = _verify(world)
    hand = attacks.by_hand(attempt, world.head, scratch / f"clean{number}", tools(scratch / "bin"))
    by_guide = f"step {', '.join(map(str, hand.steps))}: `{_cell(hand.printed)}`" if hand.steps else "all steps pass"
    printed = "<br>".join(f"`{_cell(line)}`" for line in lines)
    return f"| {number} | {name} | `{command}` → exit {status} | {printed} | {by_guide} |"


def main() -> None:
    """Print the table."""
    say = sys.stdout.write
    say("| | attack | command | what it printed | VERIFY.txt by hand |\n|---|---|---|---|---|\n")
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        with redirect_stdout(sys.stderr):
            good = attacks.good_world(top / "good", attacks.new_authority(top / "tsa"))
        for number, (words, attack) in enumerate(attacks.ATTACKS, 1):
            world = good.copy(top / f"world{number}")
            say(_row(number, words, world, attack(world), top) + "\n")
        brief = attacks.new_authority(top / "brief")
        ends = attacks.expire_soon(brief, _LIVES)
        with redirect_stdout(sys.stderr):
            world = attacks.good_world(top / "expired", brief)
        time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()) + 1.2)
        attempt = attacks.Attempt(frozenset(), world.bag(0), world.ledger)
        say(_row(10, "an expired authority certificate (must still verify)", world, attempt, top) + "\n")
        attacks.evidence_cast().unlock(top)


if __name__ == "__main__":
    main()
