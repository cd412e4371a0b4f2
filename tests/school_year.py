"""A simulated school year: the steps that tell people, over the real store and the real composer, on a clock that is moved along.

Called by tests/mail/test_school_year.py and by `make year`. Everything by chance comes from one seed. What is simulated:
the clock, the mail server (tests/post_office.py), comments (put into the store as judged), and the death of the process, which is an
exception that no code of ours can catch, thrown at a chosen call. A killed process loses nothing that SQLite has committed, whatever
`synchronous` says; that matters for a power cut alone, which tests/power_cut.py is about. So it is off here, and the year is quicker.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from post_office import Fuse, Killed, Mood, PostOffice, Spell
from stage import TickingClock, Woken, WordClassifier, comment
from uk_terms import A_DAY, LONDON, Plan, at_london, days

from moderator.domain.access import Role
from moderator.domain.account import Approval, Mode, School
from moderator.domain.attestation import Attested
from moderator.domain.calendar import Closure, SchoolCalendar
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertMail, Digest, DigestCounts
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.work import AlertRequest
from moderator.evidence.recorder import StillRecorder
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault
from moderator.jobs.schedule import SCHEDULE
from moderator.mail.compose import JinjaComposer
from moderator.platforms.memory import MemoryPlatform
from moderator.ports import FixedPolicy
from moderator.settings import ASSETS
from moderator.steps.drain import Tools, drain
from moderator.store import codec, ledger, people, register
from moderator.store.accounts import attest
from moderator.store.database import Database, SqlUnit
from moderator.store.engine import open_engine
from moderator.store.items import ITEMS
from moderator.store.ledger import LedgerFile
from moderator.store.outbox import ALERTS

TRUST = "Fairholme Learning Trust"
DOMAIN = "fairholme.example"
LINK = f"https://review.{DOMAIN}"
OFTEN = ("alert", "digest", "send")
STEPS = ("unread", "alert", "digest", "trust_digest", "report", "remind", "send")
"""All that tells people; twice a day here, since what has an hour of its own is told of by a later run as well."""
KILL_POINTS = ("composing", "composed", "commit", "committed", "sending", "taken")
QUICKEST = timedelta(minutes=11)
"""A run after the last one while mail waits: a little over the longest back-off."""


class FusedDatabase(Database):
    """The real store in a process that can die just before and just after each commit."""

    def __init__(self, engine: sa.Engine, fuse: Fuse, calendars: dict[str, SchoolCalendar]) -> None:
        super().__init__(engine, calendars=calendars)
        self.fuse = fuse

    @contextmanager
    def unit(self) -> Iterator[SqlUnit]:
        """Open one transaction."""
        with super().unit() as unit:
            yield unit
            self.fuse.passed("commit")
        self.fuse.passed("committed")


class FusedComposer(JinjaComposer):
    """The real composer in a process that can die before and after each message; remembers what each digest told."""

    fuse: Fuse
    told: dict[str, tuple[date, date, DigestCounts]]

    def digest(self, digest: Digest) -> object:  # type: ignore[override] # what JinjaComposer returns goes through
        """Compose."""
        self.fuse.passed("composing")
        message = super().digest(digest)
        self.told[digest.key] = (digest.first_day or digest.day, digest.day, digest.counts)
        self.fuse.passed("composed")
        return message

    def alert(self, mail: AlertMail) -> object:  # type: ignore[override] # as above
        """Compose."""
        self.fuse.passed("composing")
        return super().alert(mail)


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that the world outside knows of: who must hear of it."""

    item: int
    school: str
    at: datetime


@dataclass
class Year:
    """The whole world of one simulation."""

    plans: Sequence[Plan]
    office: PostOffice
    clock: TickingClock
    chosen: random.Random
    tools: Tools
    engine: sa.Engine
    composer: FusedComposer
    signer: Signer
    begins: datetime
    seen: list[tuple[str, datetime]] = field(default_factory=list)
    """Every comment: its school, and when it was first seen."""
    alerts: list[Told] = field(default_factory=list)
    changed: dict[str, list[date]] = field(default_factory=dict)
    """By school, the London days on which its account's password was changed, the oldest first."""
    reminded: set[date] = field(default_factory=set)
    """The London days on which reminders were looked for."""
    accounts: dict[str, int] = field(default_factory=dict)
    asleep: list[tuple[datetime, datetime]] = field(default_factory=list)
    kills: int = 0
    back: int = 0
    _comments: int = 0
    _day: date | None = None

    @property
    def fuse(self) -> Fuse:
        """Return what kills the process."""
        return self.office.fuse

    # --- the machine ---

    def start(self, day: date) -> None:
        """Start the service with the settings of a London day, as `moderator run` does: leases of a run that died are freed."""
        calendars = {
            plan.slug: SchoolCalendar(setting.hour, tuple(Closure(*each) for each in setting.closed), setting.while_closed)
            for plan in self.plans
            for setting in (plan.setting(day),)
        }
        Database(self.engine).release_leases()
        self.tools = replace(self.tools, store=FusedDatabase(self.engine, self.fuse, calendars))
        self._day = day

    def run(self, *names: str) -> None:
        """Run steps until each has nothing due; when the process dies in one, start it again and go on where the schedule would."""
        jobs = {job.name: job for job in SCHEDULE}
        for name in names:
            try:
                drain(jobs[name].step, self.tools, limit=jobs[name].limit, deadline=self.clock.now() + timedelta(hours=12))
            except Killed:
                self.kills += 1
                self.office.killed()
                self.clock.move(timedelta(seconds=self.chosen.randint(1, 90)))
                assert self._day is not None
                self.start(self._day)
                self.run(*names)
                return

    # --- the world ---

    def open_schools(self) -> None:
        """Register the schools that have joined by now: their account, people and ledger."""
        for plan in self.plans:
            if plan.joined <= self.clock.now() and plan.slug not in self.accounts:
                self._open(plan)

    def _open(self, plan: Plan) -> None:
        at, day = self.clock.now(), self.clock.now().astimezone(LONDON).date()
        domain = f"{plan.slug}.example"
        school = School(plan.slug, plan.name, "100000", f"head@{domain}", (domain,), TRUST, f"ledger-{plan.slug}.jsonl")
        with Database(self.engine).unit() as unit:
            people.put_school(unit.connection, school)
            facts = {"platform": "memory", "handle": plan.slug, "platform_id": plan.slug, "contact_email": f"office@{domain}"}
            number = people.add_account(unit.connection, school=school, monthly_reads=100_000, at=at, **facts)
            people.approve(unit.connection, number, Approval("A-1", "The Headteacher", day, "News", Mode.HIDE, day + 900 * A_DAY))
            unit.append(plan.slug, ledger.opened(self.signer.public_key, at))
            if not self.accounts:
                for role in (Role.CEO, Role.SAFEGUARDING_LEAD, Role.TRUSTEE):
                    self._designate(unit, role, EVERY_SCHOOL, domain, day)
            for role in (Role.HEAD, Role.DEPUTY, Role.DSL, Role.ADMIN):
                self._designate(unit, role, plan.slug, domain, day)
        self.accounts[plan.slug] = number
        self._attest(plan.slug, Attested.NOT_PERSONAL, day)
        self._change_password(plan.slug, day)

    def _attest(self, school: str, what: Attested, day: date) -> None:
        database = Database(self.engine)
        account = database.account(self.accounts[school])
        with database.unit() as unit:
            attest(unit.connection, account, what, on=day, by="ADMIN-1", at=self.clock.now())

    def _change_password(self, school: str, day: date) -> None:
        self.changed.setdefault(school, []).append(day)
        self._attest(school, Attested.PASSWORD_CHANGED, day)

    def passwords(self) -> None:
        """Let each school's password be changed when it is due: at every other school two days before, at the rest three days late."""
        day = self.clock.now().astimezone(LONDON).date()
        for school, number in self.accounts.items():
            if day >= self.changed[school][-1] + (60 + (-2 if number % 2 else 3)) * A_DAY:
                self._change_password(school, day)

    def _designate(self, unit: SqlUnit, role: Role, school: str, domain: str, day: date) -> None:
        person = register.add_person(unit.connection, name=f"Person {role.value}", email=f"{role.value}@{domain}", at=self.clock.now())
        register.designate(unit.connection, person_id=person.id, role=role, school=school, signed_by="CEO-1", signed_on=day, begins_on=day)

    def comments(self, school: str, count: int) -> None:
        """Let comments be seen now, and be judged in the same moment; about one in six is flagged, and half of those are serious."""
        at = self.clock.now()
        with Database(self.engine).unit() as unit:
            for _ in range(count):
                self._comments += 1
                self.seen.append((school, at))
                self._comment(unit, school, at, flagged=self.chosen.random() < 1 / 6, severe=self.chosen.random() < 1 / 2)

    def _comment(self, unit: SqlUnit, school: str, at: datetime, *, flagged: bool, severe: bool) -> None:
        severity = (Severity.SEVERE if severe else Severity.ORDINARY) if flagged else Severity.NONE
        row = codec.comment_columns(comment(self._comments)) | {
            "account_id": self.accounts[school],
            "school": school,
            "platform": "memory",
            "first_seen_at": at,
            "due_at": at,
            "state": "flagged" if flagged else "cleared",
            "outcome": "route" if flagged else "clear",
            "severity": severity.value,
            "rank": codec.SEVERITY_RANK.get(severity, 9) if flagged else 9,
            "needs_review": flagged,
        }
        item = unit.connection.execute(sa.insert(ITEMS).values(row).returning(ITEMS.c.id)).scalar_one()
        if not flagged:
            return
        unit.append(school, LedgerEvent(Event.FLAGGED, at, f"item-{item}", reason="route"))
        unit.alert(
            AlertRequest(
                key=f"decided-{item}",
                school=school,
                kind=AlertKind.ROUTED,
                severity=severity,
                subject=f"item-{item}",
                what="It insults somebody.",
                done="It is recorded and is not hidden. A person must look at it.",
                at=at,
                due_at=at if severe else at + timedelta(minutes=5),
                item_id=item,
            )
        )
        self.alerts.append(Told(item, school, at))

    def people_read(self, *, before: datetime) -> None:
        """Let people read and decide what came before: most of it."""
        with Database(self.engine).unit() as unit:
            unit.connection.execute(
                sa.update(ITEMS).where(ITEMS.c.needs_review, ITEMS.c.first_seen_at < before).values(needs_review=False, state="cleared")
            )
            unit.connection.execute(
                sa.update(ALERTS)
                .where(ALERTS.c.reroute_at.is_not(None), ALERTS.c.at < before)
                .values(reroute_at=None, read_at=self.clock.now(), read_by="HEAD-1")
            )

    # --- the days ---

    def live(self, first: date, last: date) -> None:
        """Live the London days from first to last: each with the schools' hours, comments, kills and a machine that may be asleep."""
        for day in days(first, last):
            self.start(day)
            moments = self._moments(day)
            thorough = {max(moments, key=lambda each: self._near(each, day)), self.chosen.choice(moments[1:-1])}
            for moment in moments:
                if moment > self.clock.now():
                    self.clock.move(moment - self.clock.now())
                if any(start <= self.clock.now() < end for start, end in self.asleep):
                    continue
                self._moment(*(STEPS if moment in thorough else OFTEN))

    def _moments(self, day: date) -> list[datetime]:
        """Return when the schedule runs on a day: soon after each hour that somebody waits for, at the day's edges, and by chance."""
        hours = {plan.setting(day).hour for plan in self.plans}
        start, end = at_london(day, 0), at_london(day + A_DAY, 0)
        soon = [at_london(day, hour) + timedelta(seconds=self.chosen.randint(0, 299)) for hour in hours]
        by_chance = [start + self.chosen.random() * (end - start) for _ in range(2)]
        by_chance.append(at_london(day, 8, 45))
        edges = [start + timedelta(seconds=self.chosen.randint(1, 40)), end - timedelta(seconds=self.chosen.randint(1, 40))]
        ends = [spell.end + timedelta(minutes=1) for spell in self.office.spells if start <= spell.end < end]
        return sorted([*soon, *by_chance, *edges, *ends])

    @staticmethod
    def _near(moment: datetime, day: date) -> float:
        """Return how near a moment is to a quarter to nine, when what has an hour of its own in the morning is due."""
        return -abs((moment - at_london(day, 8, 45)).total_seconds())

    def _moment(self, *steps: str) -> None:
        self.open_schools()
        for slug in self.accounts:
            if (count := self.chosen.choice((0, 0, 0, 0, 1, 2))) > 0:
                self.comments(slug, count)
        if self.chosen.random() < 1 / 20:
            self.fuse.arm(self.chosen.choice(KILL_POINTS), self.chosen.randint(1, 12))
        if self.chosen.random() < 1 / 50:
            self.back += 1
            self.clock.move(-timedelta(minutes=self.chosen.randint(1, 20)))
        self.people_read(before=self.clock.now() - timedelta(hours=self.chosen.randint(1, 30)))
        self.passwords()
        self.run(*steps)
        if "remind" in steps:
            self.reminded.add(self.clock.now().astimezone(LONDON).date())

    def settle(self) -> datetime:
        """Let the mail server be well, and run until nothing waits any more; return until when everything was looked at."""
        self.office.spells = ()
        self.fuse.arm("", 0)
        until = self.clock.now()
        self._moment(*STEPS)
        for _ in range(12):
            self.clock.move(QUICKEST)
            self.run("alert", "send")
        assert self.tools.store.claim_mail(limit=1, now=self.clock.now() + A_DAY, lease=A_DAY) == [], "mail still waits"
        return until

    def close(self) -> None:
        """Let go of what is open."""
        self.tools.recorder.close()
        self.engine.dispose()


def spells(chosen: random.Random, first: date, last: date) -> list[Spell]:
    """Return the mail server's moods: every few days one, from minutes to a whole day and more, some on the hour of a digest."""
    made: list[Spell] = []
    at = at_london(first, 5)
    while at < at_london(last, 23):
        mood = chosen.choice([*Mood, Mood.DOWN, Mood.DROPS])
        hours = {Mood.DOWN: (0.5, 3, 11, 30), Mood.DROPS: (0.5, 1, 3), Mood.GREY: (6, 24), Mood.REFUSES: (1, 3), Mood.SLOW: (1, 4)}
        ends = at + timedelta(hours=chosen.choice(hours[mood]))
        made.append(Spell(mood, at, ends))
        at = ends + timedelta(hours=chosen.uniform(4, 96))
    return made


def sleeps(chosen: random.Random, first: date, last: date, plans: Sequence[Plan]) -> list[tuple[datetime, datetime]]:
    """Return when the machine is asleep: over the morning's hour, over a day, over a weekend; never while settings change."""
    changes = [day for plan in plans for day in (*plan.changes, plan.joined.astimezone(LONDON).date())]
    made = []
    for day in days(first + 2 * A_DAY, last - 4 * A_DAY):
        if chosen.random() < 1 / 15 and all(abs((day - change).days) > 4 for change in changes):
            start = at_london(day, chosen.choice((0, 5, 6, 15)), chosen.randint(0, 59))
            made.append((start, start + timedelta(hours=chosen.choice((2, 9, 26, 60)))))
    return made


def year(  # noqa: PLR0913 - what a world is made of
    folder: Path, migrated: Path, *, seed: int, plans: Sequence[Plan], first: date, last: date
) -> Year:
    """Return the world on the eve of a London day, its mail server's moods and the machine's sleeps chosen by the seed."""
    chosen = random.Random(seed)  # noqa: S311 - a test's own repeatable choice
    file = folder / "moderator.db"
    file.write_bytes(migrated.read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    sa.event.listen(engine, "connect", _not_synchronous)
    clock, fuse, signer = TickingClock(at_london(first, 0)), Fuse(), Signer.generate()
    office = PostOffice(clock, fuse, chosen, spells(chosen, first, last))
    composer = FusedComposer(templates=ASSETS / "templates", sender=f"moderator@{DOMAIN}", trust_domain=DOMAIN, now=clock.now)
    composer.fuse, composer.told = fuse, {}
    vault = FolderVault(folder / "vault")
    tools = Tools(
        store=Database(engine),
        platform_for=lambda _account: MemoryPlatform(),
        classifier=WordClassifier(),
        policies=FixedPolicy.bundled(),
        recorder=StillRecorder(
            sealing=Sealing(vault=vault, signer=signer, authorities=(), software="moderator test"),
            clock=clock,
            templates=ASSETS / "templates",
        ),
        vault=vault,
        ledger=LedgerFile(engine, folder),
        composer=composer,  # type: ignore[arg-type] # it hands the real one's messages through
        mailer=office,
        clock=clock,
        dispatcher=Woken(),
        review_url=LINK,
        delegation="Delegation D-1",
        trust=TRUST,
        witness_email=f"witness@{DOMAIN}",
    )
    made = Year(plans, office, clock, chosen, tools, engine, composer, signer, clock.now())
    made.asleep = sleeps(chosen, first, last, plans)
    return made


def _not_synchronous(connection: object, record: object) -> None:
    del record
    execute: Callable[[str], object] = connection.execute  # type: ignore[attr-defined] # the driver's own connection
    execute("PRAGMA synchronous=OFF")
