"""`moderator submit`: hand in a screen print of a post elsewhere, from the command line."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.acting import checked
from moderator.cli.config import Config, settings
from moderator.domain.access import Action
from moderator.domain.errors import BadInput
from moderator.domain.submission import MAX_BYTES, MAX_FILES, Handed

if TYPE_CHECKING:
    from moderator.settings import Settings

ASK = (
    "add --not-indecent to say that no file shows, or might show, an indecent image of a child. If one might: hand in nothing, do not open "
    "or copy it, call the police (999 if a child is in danger now, 101 if not) and tell your Designated Safeguarding Lead"
)


def submit(  # noqa: PLR0913 - one argument an option
    files: Annotated[list[Path], typer.Argument(help="Screen prints: PNG, JPEG, WebP, PDF, an e-mail (.eml) or plain text.")],
    *,
    place: Annotated[str, typer.Option(help="The address of the post; if it has none, the app and the group.")],
    seen: Annotated[str, typer.Option(help='When it was seen, UK time: "2026-11-22 14:05"; add BST or GMT in the hour that comes twice.')],
    by: Annotated[str, typer.Option("--by", help="Who hands it in: a designation reference, e.g. DES-4.")],
    why: Annotated[str, typer.Option("--why", help="Why it is handed in. It is kept with the record.")],
    school: Annotated[str, typer.Option(help="The school's slug in moderator.toml. Needed when there are several.")] = "",
    posted: Annotated[str, typer.Option(help="When it was posted, if known, UK time.")] = "",
    author_as_shown: Annotated[str, typer.Option(help="The author's name as shown, if known.")] = "",
    text_as_shown: Annotated[str, typer.Option(help="The words as shown.")] = "",
    not_indecent: Annotated[
        bool, typer.Option("--not-indecent", help="I say that no file shows, or might show, an indecent image of a child (R17).")
    ] = False,
    config: Config = None,
) -> None:
    """Keep screen prints as a sealed record, marked as handed in by a person. The same files from the same place are kept once."""
    from moderator.build import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.domain.submission import statement  # noqa: PLC0415 - the same
    from moderator.steps.submit import submit as take  # noqa: PLC0415 - the same

    if not not_indecent:
        raise BadInput(ASK)
    options = settings(config)
    handed = _read(files)
    context = build(options)
    try:
        said = statement(
            place=place,
            seen=seen,
            posted=posted,
            author=author_as_shown,
            text=text_as_shown,
            why=why,
            by=by,
            now=context.tools.clock.now(),
        )
        where = school or _only_school(options)
        checked(context.database, by=by, action=Action.HAND_IN, school=where)
        record = take(context.tools, school=where, files=handed, statement=said)
        typer.echo(f"Kept as {record.record_id}, sealed {record.sealed_at:%Y-%m-%d %H:%M:%S} UTC, in {record.path}.")
    finally:
        context.close()


def _only_school(options: "Settings") -> str:
    schools = [school.slug for school in options.schools()]
    if len(schools) == 1:
        return schools[0]
    message = f"say which school: --school {' or '.join(schools)}"
    raise BadInput(message)


def _read(files: list[Path]) -> list[Handed]:
    """Return the files' bytes. What is too large is not read: the sum of the sizes is looked at first."""
    if len(files) > MAX_FILES:
        message = f"hand in at most {MAX_FILES} files at once"
        raise BadInput(message)
    left = MAX_BYTES
    found = []
    for path in files:
        try:
            with path.open("rb") as file:
                content = file.read(left + 1)
        except OSError as error:
            message = f"{path}: cannot be read ({error.strerror})"
            raise BadInput(message) from error
        if len(content) > left:
            message = f"{path}: the files together are too large; hand in at most {MAX_BYTES // (1024 * 1024)} MB at once"
            raise BadInput(message)
        left -= len(content)
        found.append(Handed(path.name, content))
    return found
