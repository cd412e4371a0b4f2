"""The command line: `moderator`, a typer app with one command a file.

Exit codes: 0 done, 1 a check failed, 2 bad use or bad input, 3 a dependency is down (nothing lost; try again).
"""

import sys

import typer

from moderator.cli.account import accounts
from moderator.cli.assess import assess
from moderator.cli.backtest import backtest
from moderator.cli.demo import demo
from moderator.cli.digest import digest
from moderator.cli.doctor import doctor
from moderator.cli.export import export
from moderator.cli.keys import signing_keys
from moderator.cli.link import link
from moderator.cli.person import persons
from moderator.cli.practice import practice
from moderator.cli.record import records
from moderator.cli.record_check import check
from moderator.cli.review import restore, uphold
from moderator.cli.roll import rolls
from moderator.cli.run import run
from moderator.cli.set_up import set_up
from moderator.cli.submit import submit
from moderator.cli.train import evaluate, train
from moderator.cli.verify import verify
from moderator.domain.errors import BadInput, ModeratorError, NotAllowed, Refused, Unauthorised

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, add_completion=False)
for command in (
    run,
    demo,
    assess,
    backtest,
    verify,
    doctor,
    digest,
    export,
    link,
    uphold,
    restore,
    submit,
    practice,
    train,
    evaluate,
    set_up,
):
    app.command()(command)
app.add_typer(accounts, name="account")
app.add_typer(persons, name="person")
app.add_typer(rolls, name="roll")
app.add_typer(signing_keys, name="keys")
records.command("check")(check)
app.add_typer(records, name="record")

BAD_USE, DEPENDENCY_DOWN = 2, 3


def main() -> None:
    """Run the command line. Every error of ours is one line on stderr that says what was wrong and how to mend it."""
    try:
        app()
    except (BadInput, NotAllowed, Refused, Unauthorised) as error:
        _say(str(error))
        sys.exit(BAD_USE)
    except ModeratorError as error:
        _say(f"{error} Nothing is lost; try again.")
        sys.exit(DEPENDENCY_DOWN)
    except KeyboardInterrupt:
        sys.exit(130)


def _say(text: str) -> None:
    sys.stderr.write(f"moderator: {' '.join(text.split())}\n")
