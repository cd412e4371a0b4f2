"""Export: make a pack, write in the ledger that it was made, and only then hand it over. Called by the command line and the review app."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from moderator import observe
from moderator.domain.errors import BadInput, Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.pack import Draft, Order, Pack
from moderator.domain.times import london_text
from moderator.steps.drain import Tools


class Packer(Protocol):
    """Makes packs. Shipped version: evidence.packs.make.Packs."""

    def build(self, order: Order, folder: Path) -> Draft:
        """Return the finished pack in `folder`, flushed, readable by its owner only, under a name that begins with a dot.

        May be repeated: another draft. Raises BadInput when the order cannot be met, Transient when the disk is full or the browser fails;
        then nothing is left.
        """
        ...


def export(tools: Tools, order: Order, *, packer: Packer, folder: Path) -> Path:
    """Return where the pack lies, complete and readable by its owner only.

    1. Refuse an order that cannot be met: no record, a record that was disposed of, several where one is meant, no purpose; and a police
       pack while a member of staff is the target and nobody has noted what they wish (R23).
    2. Make the pack under a hidden name, flushed.
    3. Write one `exported` line a record in the ledger, with the pack's SHA-256, and copy it to the file.
    4. Give the pack its name.

    May be repeated: another pack, another line. What is not in the ledger is never handed over; on any failure nothing is left in
    `folder`. Raises BadInput, Transient, EvidenceFailed.
    """
    _refuse(order)
    _ask_the_target(tools, order)
    draft = _made(order, packer, folder)
    try:
        target = _free(folder / draft.name)
        _note(tools, order, draft)
        _hand_over(draft, target)
    except BaseException:
        with suppress(OSError):
            draft.path.unlink()
        raise
    observe.happened("record_exported", pack=order.pack.value, records=len(order.records), zip_sha256=draft.sha256)
    return target


def _refuse(order: Order) -> None:
    if not order.purpose.strip():
        message = "say who the pack is for and why: --for"
        raise BadInput(message)
    if not order.records or (len(order.records) > 1 and order.pack is not Pack.SAR):
        message = f"a {order.pack.value} pack is of one record: give one record number"
        raise BadInput(message)
    if order.pack is Pack.SAR and not any(person.strip() for person in order.persons):
        message = "a sar pack needs --person: the name or handle of the one person it is for; everybody else is redacted (R31)"
        raise BadInput(message)
    for record in order.records:
        if record.school.slug != order.school.slug:
            message = f"{record.record_id} is a record of {record.school.slug}, not of {order.school.slug}"
            raise BadInput(message)
        if record.disposed_at is not None:
            message = (
                f"{record.record_id} was lawfully disposed of on {london_text(record.disposed_at)}: "
                "what it said is gone for good, and only its seal and the ledger's line are left"
            )
            raise BadInput(message)


def _ask_the_target(tools: Tools, order: Order) -> None:
    if order.pack is not Pack.POLICE:
        return
    for record in order.records:
        if record.item_id is not None and tools.store.wishes_missing(record.item_id):
            message = (
                f"{record.record_id}: a member of staff is the target. Going to the police is their own decision: first note on the "
                "record's page what they wish. A disclosure, or a comment marked for the police, can go at once"
            )
            raise BadInput(message)


def _made(order: Order, packer: Packer, folder: Path) -> Draft:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return packer.build(order, folder)
    except OSError as error:
        message = f"the pack could not be written to {folder}: {error.strerror or type(error).__name__}"
        raise Transient(message) from error


def _free(target: Path) -> Path:
    if target.exists():
        message = f"{target.name} is there already; it is left as it is"
        raise BadInput(message)
    return target


def _note(tools: Tools, order: Order, draft: Draft) -> None:
    facts: dict[str, str | int | bool] = {"pack": order.pack.value, "zip_sha256": draft.sha256}
    lines = [LedgerEvent(Event.EXPORTED, order.at, each.record_id, actor=order.by, facts=facts) for each in order.records]
    with tools.store.unit() as unit:
        unit.append(order.school.slug, *lines)
    tools.ledger.sync(order.school.slug)


def _hand_over(draft: Draft, target: Path) -> None:
    try:
        draft.path.rename(target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        message = f"the pack could not be handed over: {error.strerror}"
        raise Transient(message) from error
