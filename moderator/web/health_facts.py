"""How the service stands, one sentence a part, each with a light and what to do next. Called by the Health page."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from moderator.domain.digest import AccountLine
from moderator.domain.lifecycle import Stage
from moderator.mail.evidence import evidence_lines
from moderator.mail.moments import gap_words, moment_words
from moderator.mail.words import at_handle, mode_words, platform_words, plural, sentence
from moderator.store.standing import Standing, Untold
from moderator.store.undelivered import Undelivered
from moderator.web.machine import Disk


class Light(StrEnum):
    """How soon somebody must look. The word stands beside the colour."""

    GOOD = "good"
    LOOK = "ordinary"
    NOW = "severe"


LIGHT_WORDS = {Light.GOOD: "All well", Light.LOOK: "Look today", Light.NOW: "Look now"}

SLOW = timedelta(minutes=15)
"""How long a step may leave work waiting before somebody should look (our choice): a step runs every few seconds."""
MAIL_SLOW = timedelta(minutes=15)
"""How long mail may wait (our choice): a severe alert leaves at once."""
TIGHT, FULL = 5 * 1024**3, 1024**3
"""Free bytes under which somebody should look today, or now (our choice; `moderator doctor` refuses under the second)."""
BACKUP_LATE = timedelta(hours=36)
"""How old a nightly backup may get (our choice): one night missed."""
NEARLY_SPENT = 0.8
"""Share of a month's reads from which somebody should look (our choice)."""
SKEW = timedelta(minutes=1)
"""How far the clock may be behind what was written by it (our choice): less is rounding between processes."""

_ASK_IT = "Ask your IT lead to look."
_STAGES = {
    Stage.SCORE: "to be read",
    Stage.DECIDE: "to be decided on",
    Stage.RECORD: "to be recorded",
    Stage.HIDE: "to be hidden",
    Stage.RESTORE: "to be shown again",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the service: its name, its light, sentences about it, and what to do next ("" when nothing)."""

    name: str
    light: Light
    said: tuple[str, ...]
    then: str = ""

    @property
    def word(self) -> str:
        """Return the light in words."""
        return LIGHT_WORDS[self.light]


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine says; `lines` in the ledger's file and `backup` are None when that is not known, `asked` False when it was not."""

    disks: tuple[Disk, ...]
    lines: int | None
    backup: datetime | None
    asked: bool


def parts(standing: Standing, machine: Machine, *, now: datetime, silence: timedelta) -> tuple[Part, ...]:
    """Return every part, in the order in which a comment passes through them. Each that is not well says what to do."""
    return (
        *(_account(each, now, silence) for each in standing.accounts),
        *((_NO_ACCOUNT,) if not standing.accounts else ()),
        _queue(standing, now),
        _held(standing.held),
        _mail(standing, now),
        _records(standing, now),
        _ledger(standing, machine),
        *_machine(machine, now),
        _clock(standing, now),
    )


def own_words(mails: Sequence[str]) -> tuple[Part, ...]:
    """Return what to say of mails, such as `alert`, from which the school's own words are left out; empty when there are none."""
    if not mails:
        return ()
    said = f"They are left out of every {' and every '.join(mails)}: they may name somebody who is on the roll by now."
    return (Part("The school's own words in mails", Light.LOOK, (said,), "The Headteacher changes them: Digests, What the school adds."),)


_NO_ACCOUNT = Part("Accounts", Light.LOOK, ("No account is registered. Nothing is checked.",), "Ask for an account on the Accounts page.")


def _account(line: AccountLine, now: datetime, silence: timedelta) -> Part:
    name = f"{at_handle(line.handle)} on {platform_words(line.platform)}"
    reads = f"{line.reads_used:,} of {line.reads_budget:,} reads used this month."
    said = (sentence(mode_words(line.mode)), _last_look(line, now), reads)
    if line.mode == "not approved":
        return Part(name, Light.LOOK, said, "The Headteacher approves or withdraws it on the Accounts page.")
    if line.trouble:
        return Part(name, Light.NOW, (*said, sentence(line.trouble)), "Ask the account's admin to put this right today.")
    if line.last_good_poll is None or now - line.last_good_poll > silence:
        return Part(name, Light.NOW, said, f"Comments may not be checked. {_ASK_IT}")
    if line.reads_used >= NEARLY_SPENT * line.reads_budget:
        return Part(name, Light.LOOK, said, "When the budget is spent, nothing is checked until next month. Ask for a larger one.")
    return Part(name, Light.GOOD, said)


def _last_look(line: AccountLine, now: datetime) -> str:
    if line.last_good_poll is None:
        return "It was never read."
    return f"Last good look {gap_words(now - line.last_good_poll)} ago."


def _queue(standing: Standing, now: datetime) -> Part:
    late = [each for each in standing.waiting if now - each.due_since > SLOW]
    said = tuple(
        f"{plural(each.count, 'comment')} {'waits' if each.count == 1 else 'wait'} {_STAGES[each.stage]}"
        + (f", the longest for {gap_words(now - each.due_since)}." if now > each.due_since else ".")
        for each in standing.waiting
    )
    if late:
        return Part("Waiting work", Light.NOW, said, f"The service does not keep up, or has stopped. {_ASK_IT}")
    return Part("Waiting work", Light.GOOD, said or ("Nothing waits.",))


def _held(count: int) -> Part:
    if count == 0:
        return Part("Stopped comments", Light.GOOD, ("None.",))
    one = count == 1
    said = f"{plural(count, 'comment')} {'is' if one else 'are'} stopped: the service could not finish."
    return Part("Stopped comments", Light.LOOK, (said,), "Open Today: each says why, and what you can do.")


def _mail(standing: Standing, now: datetime) -> Part:
    said = [
        f"{plural(each.count, noun)} {'waits' if each.count == 1 else 'wait'} to leave{_since(each, now)}."
        for noun, each in (("alert", standing.alerts), ("mail", standing.mail))
        if each.count
    ]
    waiting = [each for each in standing.undelivered if not each.bounced]
    returned = [each for each in standing.undelivered if each.bounced]
    if standing.mail.trouble:
        said.append("The mail server did not take the oldest.")
    if waiting:
        said.append(f"Tried and not taken: {_kinds(waiting)}.")
    if returned:
        said.append(f"{plural(len(returned), 'mail')} came back: {_kinds(returned)}.")
        said += dict.fromkeys(each.trouble for each in returned)
    slow = any(each.since is not None and now - each.since > MAIL_SLOW for each in (standing.alerts, standing.mail))
    if slow or standing.mail.trouble:
        return Part("Alerts and mail", Light.NOW, tuple(said), f"You may not hear of serious comments by mail. Look at Today. {_ASK_IT}")
    if returned:
        return Part(
            "Alerts and mail", Light.LOOK, tuple(said), "Mend the address on the People page, or ask your IT lead about the mailbox."
        )
    return Part("Alerts and mail", Light.GOOD, tuple(said) or ("Everything was delivered.",))


def _kinds(mails: Iterable[Undelivered]) -> str:
    """Return `an alert (2), a daily digest`."""
    counted = Counter(f"{each.what[0].lower()}{each.what[1:]}" for each in mails)
    return ", ".join(f"{what} ({count})" if count > 1 else what for what, count in counted.items())


def _since(untold: Untold, now: datetime) -> str:
    return f", the oldest for {gap_words(now - untold.since)}" if untold.since is not None and now > untold.since else ""


def _records(standing: Standing, now: datetime) -> Part:
    lines = evidence_lines(standing.evidence, now)
    said = tuple(line.text for line in lines)
    if standing.evidence.faults:
        return Part("Records", Light.NOW, said, "Change and repair nothing. Tell your IT lead and your Data Protection Officer today.")
    if any(line.warning for line in lines):
        return Part("Records", Light.LOOK, said, _ASK_IT)
    return Part("Records", Light.GOOD, said)


def _ledger(standing: Standing, machine: Machine) -> Part:
    number = standing.head.seq
    have = f"The ledger has {plural(number, 'line')}."
    if not machine.asked:
        return Part("Ledger", Light.GOOD, (have, "Its file is checked by the nightly check."))
    if machine.lines is None:
        return Part("Ledger", Light.NOW, (have, "Its file cannot be read."), _ASK_IT)
    if machine.lines > number:
        more = f"Its file has {machine.lines - number:,} more: the database may have been put back to an earlier day."
        return Part("Ledger", Light.NOW, (have, more), f"Change nothing. {_ASK_IT}")
    if machine.lines < number:
        behind = f"Its file is {plural(number - machine.lines, 'line')} behind. The service brings it up to date within minutes."
        return Part("Ledger", Light.LOOK, (have, behind), "Open this page again in ten minutes. If it is still behind, ask your IT lead.")
    return Part("Ledger", Light.GOOD, (have, "Its file has every one of them."))


def _machine(machine: Machine, now: datetime) -> Iterator[Part]:
    for disk in machine.disks:
        said = (f"{_gigabytes(disk.free)} free of {_gigabytes(disk.total)}, for {disk.holds}.",)
        if disk.free < FULL:
            yield Part("Disk", Light.NOW, said, f"Soon nothing can be recorded, and so nothing is hidden. {_ASK_IT}")
        else:
            yield Part("Disk", Light.LOOK if disk.free < TIGHT else Light.GOOD, said, _ASK_IT if disk.free < TIGHT else "")
    if machine.asked:
        yield _backup(machine.backup, now)


def _gigabytes(size: int) -> str:
    return f"{size / 1024**3:,.1f} GB"


def _backup(at: datetime | None, now: datetime) -> Part:
    if at is None:
        return Part("Backup", Light.LOOK, ("No backup is known.",), "Ask your IT lead when the last one was made, and where it lies.")
    said = (f"Last backup: {moment_words(at)}.",)
    if now - at > BACKUP_LATE:
        return Part("Backup", Light.LOOK, (*said, f"That is {gap_words(now - at)} ago."), _ASK_IT)
    return Part("Backup", Light.GOOD, said)


def _clock(standing: Standing, now: datetime) -> Part:
    said = (f"The service's clock says {moment_words(now)}.",)
    written = max((at for at in (standing.last_line_at, standing.latest_seal) if at is not None), default=now)
    if written - now > SKEW:
        return Part(
            "Clock", Light.NOW, (*said, "That is before the newest record or ledger line."), f"Hiding waits until it is right. {_ASK_IT}"
        )
    return Part("Clock", Light.GOOD, said)
