"""`moderator verify`: check a record, a school's folder or the whole vault. Registered by the CLI's app."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from moderator.domain.record import Verification


class Format(StrEnum):
    """How the result is printed."""

    TEXT = "text"
    JSON = "json"


def verify(  # noqa: PLR0913 - one argument an option
    path: Annotated[Path, typer.Argument(help="A record's folder, a school's folder, or the whole vault.")],
    *,
    ledger: Annotated[Path | None, typer.Option(help="The school's ledger. Otherwise every ledger*.jsonl beside the vault.")] = None,
    head: Annotated[str | None, typer.Option(help="The ledger head a digest printed: NUMBER:HASH, or HASH alone.")] = None,
    chain: Annotated[Path | None, typer.Option(help="A timestamp authority's certificates (PEM) that every stamp must lead to.")] = None,
    shape: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TEXT,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes to use. Otherwise one a core.")] = None,
) -> None:
    """Check records: nothing changed, nothing missing, nothing added, sealed before hidden. Exit code 1 when something is wrong."""
    from moderator.evidence.check.verify import verify as check  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.evidence.check.walk import head_from  # noqa: PLC0415 - the same

    told = _progress()
    found = check(
        path,
        ledger=_file(ledger),
        head=head_from(head) if head is not None else None,
        trusted_chain=_bytes(chain),
        workers=workers,
        progress=told,
    )
    if told is not None:
        sys.stderr.write("\r\033[K")
    typer.echo(_json(found) if shape is Format.JSON else _text(found, head=head))
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


def _progress() -> "Callable[[int], None] | None":
    if not sys.stderr.isatty():
        return None

    def show(done: int) -> None:
        if done % 50 == 0:
            sys.stderr.write(f"\r{done} records checked")
            sys.stderr.flush()

    return show


def _text(found: "Verification", *, head: str | None) -> str:
    records = "1 record" if found.checked == 1 else f"{found.checked} records"
    lines = [f"{fault.where}: {fault.what} [{fault.code}]" for fault in found.faults]
    if found.ok:
        lines.append(f"{records} checked, nothing wrong.")
        if head is None:
            lines.append("Not compared with a digest: give --head from a digest to catch a ledger that was cut short or rewritten.")
    else:
        faults = "1 fault" if len(found.faults) == 1 else f"{len(found.faults)} faults"
        lines.append(f"{records} checked, {faults}.")
    return "\n".join(lines)


def _json(found: "Verification") -> str:
    import json  # noqa: PLC0415 - keeps `moderator --help` quick

    faults = [{"code": fault.code, "where": fault.where, "what": fault.what} for fault in found.faults]
    return json.dumps({"ok": found.ok, "checked": found.checked, "faults": faults}, indent=2)
