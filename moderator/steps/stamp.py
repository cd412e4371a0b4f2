"""Stamp: give sealed records the timestamps they lack, and renew those that run out. Called by the schedule."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from moderator import observe
from moderator.domain.errors import BadInput, EvidenceFailed, Refused, Transient, Unanswered
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.stamping import NEAR_THE_CAPTURE, RENEW_BEFORE, SETTLE_FOR, Added, ToRenew, ToStamp
from moderator.domain.times import london_date
from moderator.steps.drain import PER_DAY, Tools, tell_of_system

SILENT_FOR = timedelta(days=1)
"""How long an authority may leave records waiting before a person is told."""

MANY = 100
"""Records looked at when a person is told whose stamps run out (our choice)."""

_Record = TypeVar("_Record", ToStamp, ToRenew)


def stamp(tools: Tools, *, limit: int = 20) -> int:
    """Stamp up to `limit` records, the oldest first, then renew; return how many stamps were added.

    1. Each authority that may be asked: records without its stamp, until it does not answer; then it is left alone for a while.
    2. Records whose newest stamps run out within RENEW_BEFORE: a new round, until no authority can give one.
    3. Tell a person of an authority that has been silent for a day while records wait, and of stamps that nobody renews.

    A record that cannot take a stamp is passed over: the check of the vault tells of it. When the vault or the disk fails, all waits.
    """
    done = 0
    try:
        for authority in tools.stamper.ready:
            done += _stamp_by(tools, authority, limit - done)
        done += _renew(tools, limit - done)
    except Transient as error:
        _tell_of_storage(tools, error)
    _tell_of_silence(tools)
    return done


def _stamp_by(tools: Tools, authority: str, limit: int) -> int:
    """Have one authority stamp what lacks its stamp; return how many stamps were added."""
    done = 0
    for record in _pages(lambda after: tools.store.lacking_stamp(authority, after=after, limit=limit), limit):
        try:
            added = tools.stamper.add(record.path, authority)
        except Unanswered:
            break
        except (BadInput, EvidenceFailed, Refused) as error:
            observe.went_wrong("record_not_stamped", record=record.record_id, error=type(error).__name__)
            continue
        _note(tools, record, added)
        done += 1
        if done == limit:
            break
    return done


def _renew(tools: Tools, limit: int) -> int:
    """Renew what runs out; return how many records were renewed. Early on every authority must take part, towards the end one is enough."""
    now, done = tools.clock.now(), 0
    if not tools.stamper.authorities:
        return 0
    for record in _pages(lambda after: tools.store.to_renew(before=now + RENEW_BEFORE, after=after, limit=limit), limit):
        by_all = record.ends_at - now > SETTLE_FOR
        try:
            renewed = tools.stamper.renew(record.path, number=record.round, later_than=record.ends_at, by_all=by_all)
        except Unanswered:
            _tell_of_endings(tools)
            break
        except (BadInput, EvidenceFailed, Refused) as error:
            observe.went_wrong("record_not_renewed", record=record.record_id, error=type(error).__name__)
            continue
        _note(tools, record, renewed)
        done += 1
        if done == limit:
            break
    return done


def _pages(page: Callable[[_Record | None], list[_Record]], size: int) -> Iterator[_Record]:
    """Yield what is due, page by page, going on after the last one even when it still is due."""
    last: _Record | None = None
    while size > 0 and (found := page(last)):
        yield from found
        last = found[-1]


def _told_by_the_seal(record: ToStamp | ToRenew, added: Added) -> bool:
    """Return whether the `sealed` line and the record itself tell of this stamp: it was had while sealing, and not noted then."""
    if isinstance(record, ToRenew) or record.stamp_pending or not (added.found and added.named):
        return False
    return abs(added.stamp.at - record.captured_at) <= NEAR_THE_CAPTURE


def _note(tools: Tools, record: ToStamp | ToRenew, added: Sequence[Added]) -> None:
    """Note the stamps that a bag holds now: rows and ledger lines in one transaction, then the ledger's file.

    After a crash they are found in the bag and noted then, under their own time. A stamp that is known is noted once.
    """
    now = tools.clock.now()
    with tools.store.unit() as unit:
        for each in added:
            new = unit.stamped(record.record_id, record.school, each.stamp, now)
            if new and not _told_by_the_seal(record, each):
                unit.append(record.school, _line(record.record_id, each, now))
    try:
        tools.ledger.sync(record.school)
    except EvidenceFailed as error:
        # The sweep tells a person that the file was changed from outside; the database has the lines.
        observe.went_wrong("ledger_behind", school=record.school, error=type(error).__name__)
    if not tools.hide_without_stamp:
        tools.dispatcher.wake("hide")
    observe.happened("record_stamped", record=record.record_id, stamps=len(added))


def _line(record_id: str, added: Added, now: datetime) -> LedgerEvent:
    said = added.stamp
    facts: dict[str, str | int | bool] = {"authority": said.authority, "chain_sha256": added.chain_sha256, "round": said.round}
    if added.list_sha256:
        facts["list_sha256"] = added.list_sha256
    return LedgerEvent(Event.RESTAMPED, said.at if added.found else now, record_id, facts=facts)


def _tell_of_storage(tools: Tools, error: Transient) -> None:
    observe.went_wrong("stamps_not_kept", error=type(error).__name__)
    with tools.store.unit() as unit:
        for school in tools.store.schools():
            tell_of_system(
                unit,
                school.slug,
                what="Timestamps cannot be stored now. The disk may be full.",
                done="They are asked for again later. No record is lost; ask your IT lead to make room.",
                at=tools.clock.now(),
            )


def _tell_of_silence(tools: Tools) -> None:
    """Tell of each authority that gives no stamp now, gave none for a day, and has had records waiting for as long."""
    now = tools.clock.now()
    for authority in sorted(set(tools.stamper.authorities) - set(tools.stamper.ready)):
        newest = tools.store.last_stamp(authority)
        if newest is not None and now - newest < SILENT_FOR:
            continue
        late = [school for school, oldest in tools.store.waiting_for_stamp(authority).items() if now - oldest >= SILENT_FOR]
        with tools.store.unit() as unit:
            for school in late:
                tell_of_system(
                    unit,
                    school,
                    what=f"Timestamp authority {authority}: no good answer for more than a day.",
                    done="Records are sealed and wait for its stamp. Ask your IT lead to look at [[timestamps]] and at the clock.",
                    at=now,
                    spell=PER_DAY,
                )


def _tell_of_endings(tools: Tools) -> None:
    """Tell of records whose stamps run out soon although a renewal was tried."""
    now = tools.clock.now()
    first: dict[str, ToRenew] = {}
    for record in tools.store.to_renew(before=now + SETTLE_FOR, after=None, limit=MANY):
        first.setdefault(record.school, record)
    with tools.store.unit() as unit:
        for school, record in first.items():
            tell_of_system(
                unit,
                school,
                what="Timestamps of records run out soon and could not be renewed.",
                done=f"The first run out on {london_date(record.ends_at):%d %B %Y}. Ask your IT lead to name a timestamp authority whose "
                "certificates last longer, in [[timestamps]].",
                at=now,
                spell=PER_DAY,
            )
