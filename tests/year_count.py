"""What came into the mailboxes in a simulated year, held against what had to come: for tests/mail/test_school_year.py and `make year`."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from post_office import Arrival
from school_year import LINK, Year
from uk_terms import A_DAY, LONDON, DigestDue, Plan, at_london, days, digests_due

from moderator.store.outbox import ALERTS, DIGESTS, OUTBOX

_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.MULTILINE | re.IGNORECASE)
_ITEM = re.compile(re.escape(LINK) + r"/items/(\d+)")


@dataclass
class Row:
    """One line of the table: of one school or kind of mail, how many were due and what became of them."""

    name: str
    due: int = 0
    arrived: int = 0
    repeated: int = 0
    """Copies beyond the first, all under the same Message-ID."""
    missing: int = 0
    wrong_day: int = 0
    untold: int = 0
    """London days that no digest told of."""
    twice: int = 0
    """London days that two digests told of, or things told to one reader under two Message-IDs."""
    faults: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Return whether everything came that was due, once, and nothing else."""
        return not self.faults and (self.missing, self.wrong_day, self.untold, self.twice) == (0, 0, 0, 0)


@dataclass
class Post:
    """What the outbox and the mailboxes hold at the end."""

    ids: dict[str, str]
    """Message-ID by key of the outbox."""
    arrivals: dict[str, list[Arrival]]
    """By Message-ID."""

    def of(self, key: str) -> list[Arrival]:
        """Return the copies of a mail that arrived."""
        return self.arrivals.get(self.ids.get(key, ""), [])


def post(year: Year) -> Post:
    """Read the outbox and the mailboxes."""
    ids = {}
    with year.engine.connect() as connection:
        for row in connection.execute(sa.select(OUTBOX.c.key, OUTBOX.c.message)):
            found = _ID.search(row.message)
            assert found is not None, row.key
            ids[row.key] = found[1].decode()
    return Post(ids, year.office.by_id())


def digests(year: Year, until: datetime) -> list[Row]:
    """Return a row a school: its daily digests."""
    held = post(year)
    return [_school(year, plan, held, until) for plan in year.plans if plan.joined <= until]


def _school(year: Year, plan: Plan, held: Post, until: datetime) -> Row:
    row = Row(plan.name)
    due = digests_due(plan, until)
    seen = _seen(year, plan.slug)
    for each in due:
        _digest(year, row, each, held, seen)
    with year.engine.connect() as connection:
        made = connection.execute(sa.select(DIGESTS.c.key, DIGESTS.c.first_day, DIGESTS.c.day).where(DIGESTS.c.school == plan.slug)).all()
    told = Counter(day for one in made if held.of(one.key) for day in days(one.first_day or one.day, one.day))
    must = set(days(due[0].first, due[-1].last)) if due else set()
    row.untold = len(must - told.keys())
    row.twice = sum(count > 1 for count in told.values())
    keys = {f"digest-{plan.slug}-{each.last.isoformat()}" for each in due}
    for one in made:
        if one.key not in keys:
            row.wrong_day += 1
            row.faults.append(f"{one.key} was not due")
    return row


def _seen(year: Year, slug: str) -> Counter[date]:
    """Return how many comments were first seen at a school on each London day."""
    return Counter(at.astimezone(LONDON).date() for school, at in year.seen if school == slug)


def _digest(year: Year, row: Row, due: DigestDue, held: Post, seen: Counter[date]) -> None:
    key = f"digest-{due.school}-{due.last.isoformat()}"
    copies = held.of(key)
    row.due += 1
    if not copies:
        row.missing += 1
        row.faults.append(f"{key} never arrived")
        return
    row.arrived += 1
    row.repeated += len(copies) - 1
    first, last, counts = year.composer.told[key]
    day_words = f"{due.last.day} {due.last:%B %Y}"
    if copies[0].at < due.not_before or (first, last) != (due.first, due.last) or day_words not in copies[0].subject:
        row.wrong_day += 1
        row.faults.append(f"{key} told {first} to {last} at {copies[0].at}; due was {due}; subject {copies[0].subject!r}")
    expected = sum(seen[day] for day in days(due.first, due.last))
    if counts.seen != expected:
        row.faults.append(f"{key} counts {counts.seen} comments; there were {expected}")


def alerts(year: Year) -> Row:
    """Return the row of the alerts: each must reach its Headteacher, and nobody under two Message-IDs."""
    row = Row("alerts")
    told: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for each in year.office.arrived:
        if "alert" in each.message_id.partition(".")[0]:
            for number in set(_ITEM.findall(each.text)):
                told[int(number), each.to][each.message_id] += 1
    for alert in year.alerts:
        row.due += 1
        mails = told.pop((alert.item, f"head@{alert.school}.example"), Counter())
        if not mails:
            row.missing += 1
            row.faults.append(f"the alert of item {alert.item} never arrived")
            continue
        row.arrived += 1
        row.repeated += mails.total() - len(mails)
        row.twice += len(mails) > 1
    row.twice += sum(len(mails) > 1 for mails in told.values())
    return row


def witness(year: Year, until: datetime) -> Row:
    """Return the row of the witness mails: one on each London day on which a digest was written."""
    held, row = post(year), Row("witness mails")
    with year.engine.connect() as connection:
        written = {at.astimezone(LONDON).date() for at in connection.execute(sa.select(DIGESTS.c.composed_at)).scalars() if at <= until}
    for day in sorted(written):
        copies = held.of(f"witness-{day.isoformat()}")
        row.due += 1
        row.arrived += bool(copies)
        row.missing += not copies
        row.repeated += max(len(copies) - 1, 0)
    return row


def trust_digests(year: Year, until: datetime) -> Row:
    """Return the row of the trust's digests: each London day since the first school joined, once a reader."""
    held, row = post(year), Row("the trust's digests")
    made = defaultdict(list)
    for key in held.ids:
        if found := re.fullmatch(r"trust-digest-(\d{4}-\d\d-\d\d)-p\d+", key):
            made[date.fromisoformat(found[1])].append(key)
    first = min(plan.joined for plan in year.plans).astimezone(LONDON).date()
    for day in days(first, until.astimezone(LONDON).date() - A_DAY):
        not_before = at_london(day + A_DAY, year.tools.trust_hour)
        if not_before <= until:
            _report(row, made.pop(day, []), held, not_before, f"the trust's digest of {day}")
    row.wrong_day += len(made)
    return row


def weekly(year: Year, until: datetime) -> Row:
    """Return the row of the weekly reports: each week in which a school was open, once, on its next school day or later."""
    held, row = post(year), Row("weekly reports")
    for plan in year.plans:
        first = plan.joined.astimezone(LONDON).date()
        monday = first - first.weekday() * A_DAY + 7 * A_DAY
        while (comes := _next_school_day(plan, monday + 7 * A_DAY)) is not None and at_london(comes, plan.setting(comes).hour) <= until:
            if any(plan.setting(day).is_school_day(day) for day in days(monday, monday + 6 * A_DAY)):
                code = f"{monday.isocalendar().year}-W{monday.isocalendar().week:02}"
                keys = [key for key in held.ids if re.fullmatch(rf"weekly-{plan.slug}-{code}-p\d+", key)]
                _report(row, keys, held, at_london(monday + 7 * A_DAY, 0), f"{plan.slug}'s week {code}")
            monday += 7 * A_DAY
    return row


def _next_school_day(plan: Plan, day: date) -> date | None:
    return next((each for each in days(day, day + 60 * A_DAY) if plan.setting(each).is_school_day(each)), None)


def _report(row: Row, keys: list[str], held: Post, not_before: datetime, what: str) -> None:
    """Count one report with its readers."""
    copies = [held.of(key) for key in keys]
    row.due += 1
    row.arrived += any(copies)
    row.repeated += sum(max(len(each) - 1, 0) for each in copies)
    readers = Counter(each[0].to for each in copies if each)
    row.twice += sum(count > 1 for count in readers.values())
    if not any(copies):
        row.missing += 1
        row.faults.append(f"{what} never arrived")
    if any(each and each[0].at < not_before for each in copies):
        row.wrong_day += 1
        row.faults.append(f"{what} came before {not_before}")


def reminders(year: Year) -> Row:
    """Return the row of the password's dates: 14, 7 and 1 days before and when it has passed, each once (R5).

    Of what fell on days without a run only the latest is told.
    """
    held, row = post(year), Row("reminders of passwords")
    due = set()
    for day in year.reminded:
        for school, number in year.accounts.items():
            changed = [each for each in year.changed[school] if each <= day]
            left = (changed[-1] + 60 * A_DAY - day).days if changed else 60
            told = 0 if left < 0 else min((before for before in (14, 7, 1) if left <= before), default=None)
            if told is not None:
                due.add(f"account-{number}-password-{changed[-1] + 60 * A_DAY}-{told}")
    with year.engine.connect() as connection:
        wanted = sa.select(ALERTS.c.key, ALERTS.c.mail_key).where(ALERTS.c.key.contains("-password-"))
        made = {each.key: each.mail_key for each in connection.execute(wanted)}
    row.due = len(due)
    for key in sorted(due):
        copies = held.of(made.pop(key, ""))
        row.arrived += bool(copies)
        row.missing += not copies
        row.repeated += max(len(copies) - 1, 0)
    row.wrong_day = len(made)
    row.faults.extend(f"{key} was not due" for key in made)
    return row


def everything(year: Year) -> Row:
    """Return the row of all mail: each arrived once, and once more for each time that the sender could not know."""
    held, row = post(year), Row("all mail")
    back = {number: key for key, number in held.ids.items()}
    for key, number in held.ids.items():
        copies, unsure = len(held.arrivals.get(number, ())), year.office.unsure[number]
        row.due += 1
        row.arrived += copies > 0
        row.missing += copies == 0
        row.repeated += max(copies - 1, 0)
        if copies != 1 + unsure:
            row.faults.append(f"{key} arrived {copies} times, and {unsure} times the sender could not know")
    row.faults.extend(f"{number} arrived and is in no outbox" for number in held.arrivals if number not in back)
    if len(back) != len(held.ids):
        row.faults.append("two mails have one Message-ID")
    return row


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a table for people."""
    heads = ("", "due", "arrived", "repeated", "missing", "wrong day", "days untold", "told twice")
    lines = ["{:<32}{:>8}{:>9}{:>10}{:>9}{:>11}{:>13}{:>12}".format(*heads)]
    lines += [
        f"{row.name:<32}{row.due:>8}{row.arrived:>9}{row.repeated:>10}{row.missing:>9}{row.wrong_day:>11}{row.untold:>13}{row.twice:>12}"
        for row in rows
    ]
    return "\n".join(lines)


def rows(year: Year, until: datetime) -> list[Row]:
    """Return the whole table."""
    return [
        *digests(year, until),
        trust_digests(year, until),
        weekly(year, until),
        alerts(year),
        reminders(year),
        witness(year, until),
        everything(year),
    ]
