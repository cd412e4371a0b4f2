"""`moderator verify`: check a record, a school's folder, the whole vault or a pack. Registered by the CLI's app."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from moderator.domain.events import Head
    from moderator.domain.record import Verification

_EVERY = 50


class Format(StrEnum):
    """How the result is printed."""

    TEXT = "text"
    JSON = "json"


def verify(  # noqa: PLR0913 - one argument an option
    path: Annotated[Path, typer.Argument(help="A record's folder, a school's folder, the whole vault, or a pack (ZIP).")],
    *,
    ledger: Annotated[Path | None, typer.Option(help="The school's ledger. Otherwise every ledger*.jsonl beside the vault.")] = None,
    head: Annotated[
        list[str] | None, typer.Option(help="A ledger head as a digest printed it: NUMBER:HASH, or HASH. May be repeated.")
    ] = None,
    heads: Annotated[Path | None, typer.Option(help="A file of heads, such as a witness mail: lines like `school NUMBER:HASH`.")] = None,
    chain: Annotated[Path | None, typer.Option(help="A timestamp authority's certificates (PEM) that every stamp must lead to.")] = None,
    shape: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TEXT,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes to use. Otherwise one a core.")] = None,
) -> None:
    """Check records: nothing changed, nothing missing, nothing added, sealed before hidden. Exit code 1 when something is wrong.

    Needs no configuration and changes nothing. A pack is checked as it is, without unpacking it.
    """
    import time  # noqa: PLC0415 - keeps `moderator --help` quick

    from moderator.evidence.check.verify import verify as check  # noqa: PLC0415 - the same

    asked = _heads(head or [], _bytes(heads))
    told = _progress()
    start = time.monotonic()
    found = check(path, ledger=_file(ledger), heads=asked, trusted_chain=_bytes(chain), workers=workers, progress=told)
    seconds = time.monotonic() - start
    if told is not None:
        sys.stderr.write("\r\033[K")
    if shape is Format.JSON:
        typer.echo(_json(found, compared=bool(asked), seconds=seconds))
    else:
        typer.echo(_text(found, compared=bool(asked)))
    if not found.ok:
        raise typer.Exit(1)


def _file(path: Path | None) -> Path | None:
    from moderator.domain.errors import BadInput  # noqa: PLC0415 - keeps `moderator --help` quick

    if path is not None and not path.is_file():
        message = f"{path} is not a file"
        raise BadInput(message)
    return path


def _bytes(path: Path | None) -> bytes | None:
    found = _file(path)
    return None if found is None else found.read_bytes()


def _heads(given: list[str], mails: bytes | None) -> "dict[str, tuple[Head, ...]]":
    """Return every head asked for, by school. Raises BadInput for one that is none."""
    from moderator.domain.events import heads_from  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.evidence.check.walk import head_from  # noqa: PLC0415 - the same

    found: dict[str, tuple[Head, ...]] = {}
    texts = [heads_from(text) if " " in text.strip() else {"": (head_from(text),)} for text in given]
    for each in [*texts, *([] if mails is None else [heads_from(mails.decode("utf-8", "replace"))])]:
        for school, more in each.items():
            found[school] = found.get(school, ()) + more
    return found


def _progress() -> "Callable[[int], None] | None":
    if not sys.stderr.isatty():
        return None

    def show(done: int) -> None:
        if done % _EVERY == 0:
            sys.stderr.write(f"\r{done} records checked")
            sys.stderr.flush()

    return show


def _text(found: "Verification", *, compared: bool) -> str:
    from moderator.evidence.check.advice import advice  # noqa: PLC0415 - keeps `moderator --help` quick

    lines = [f"{fault.where}: {fault.what} [{fault.code}]" for fault in found.faults]
    lines.extend(f"What to do ({', '.join(codes)}): {text}" for codes, text in advice(found.faults))
    records = "1 record" if found.checked == 1 else f"{found.checked} records"
    disposed = f" {found.disposed} lawfully disposed of," if found.disposed else ""
    if not found.ok:
        faults = "1 fault" if len(found.faults) == 1 else f"{len(found.faults)} faults"
        return "\n".join([*lines, f"{records} checked,{disposed} {faults}."])
    lines.append(f"{records} checked,{disposed} nothing wrong.")
    if not found.ledgers:
        lines.append("There is no ledger with it, so it was checked against its own key only: give --ledger FILE.")
    elif not compared:
        lines.append("Not compared with a digest: give --head from a digest to catch a ledger that was cut short or rewritten.")
    return "\n".join(lines)


def _json(found: "Verification", *, compared: bool, seconds: float) -> str:
    import json  # noqa: PLC0415 - keeps `moderator --help` quick

    told = {
        "ok": found.ok,
        "checked": found.checked,
        "disposed": found.disposed,
        "faults": [{"code": fault.code, "where": fault.where, "what": fault.what} for fault in found.faults],
        "ledgers": [{"school": each.school, "lines": each.head.seq, "head": each.head.hash} for each in found.ledgers],
        "head_compared": compared,
        "missing_looked_for": found.complete,
        "seconds": round(seconds, 3),
    }
    return json.dumps(told, indent=2)
