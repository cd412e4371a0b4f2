"""The stage that step, store and job tests play on: a fixed cast, a real database, a real vault, an in-memory platform."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from moderator.domain.account import Account, Approval, Mode, School
from moderator.domain.item import Author, ItemKind, Post, SeenComment
from moderator.domain.score import Guard, GuardHit, Label, PersonKind, PersonSpan, Reason, Score
from moderator.domain.times import FrozenClock
from moderator.evidence.recorder import StillRecorder
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.seal.signer import Signer
from moderator.evidence.submission.intake import SealedIntake
from moderator.evidence.vault.folder import FolderVault
from moderator.mail.compose import JinjaComposer
from moderator.mail.outbox import FolderMailer
from moderator.platforms.memory import CAPABILITIES, MemoryPlatform
from moderator.ports import FixedPolicy
from moderator.settings import ASSETS
from moderator.steps.drain import Tools
from moderator.store import ledger, people
from moderator.store.database import Database
from moderator.store.items import ITEMS
from moderator.store.ledger import LedgerFile

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)

SCHOOL = School(
    slug="oakfield",
    name="Oakfield Primary School",
    urn="123456",
    head_email="head@oakfield.example",
    email_domains=("oakfield.example",),
    trust="Oakfield Learning Trust",
)


def comment(number: int, text: str = "What a lovely assembly", **changes: object) -> SeenComment:
    """Return an invented reply to the school's own post."""
    made = SeenComment(
        comment_id=str(number),
        kind=ItemKind.REPLY,
        author=Author("77", "fern_ashwick", "Fern Ashwick"),
        text=text,
        posted_at=NOON - timedelta(minutes=5),
        place=f"https://social.example/fern_ashwick/status/{number}",
        conversation_id="1",
        thread=(Post("1", Author("1", "oakfieldprimary", "Oakfield Primary School"), "Our harvest assembly", NOON - timedelta(hours=1)),),
    )
    return replace(made, **changes)  # type: ignore[arg-type] # the caller names fields of SeenComment


class WordClassifier:
    """A classifier for tests: words in the text decide, so that a test reads as what it means; implements ports.Classifier."""

    version = "words-1"

    def __init__(self) -> None:
        """Fail on no text yet."""
        self.breaks_on = ""

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return a score a text."""
        del parents
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Score:
        if self.breaks_on and self.breaks_on in text:
            raise ZeroDivisionError
        labels = dict.fromkeys(Label, 0.01)
        reasons: tuple[Reason, ...] = ()
        if "idiot" in text:
            labels[Label.ABUSIVE] = labels[Label.INSULT] = 0.9
            reasons = (Reason("abusive", text.index("idiot"), text.index("idiot") + 5, "The word 'idiot' is an insult."),)
        if "hurt you" in text:
            labels[Label.ABUSIVE] = labels[Label.THREAT] = 0.95
        people_found: tuple[PersonSpan, ...] = ()
        if "Tilly Marwood" in text:
            at = text.index("Tilly Marwood")
            people_found = (PersonSpan(at, at + 13, "Tilly Marwood", PersonKind.PUPIL, "roll", "P-1"),)
        guards = tuple(GuardHit(guard, 0, len(text), f"It reads as {guard.value}.") for guard in Guard if guard.value in text)
        return Score(labels=labels, model=self.version, people=people_found, guards=guards, reasons=reasons, normalised=text.lower())


class TickingClock(FrozenClock):
    """A clock that moves on a millisecond each time it is read, so that order shows."""

    def now(self) -> datetime:
        """Return the time, then move on."""
        self.move(timedelta(milliseconds=1))
        return super().now()


class Woken:
    """A dispatcher that remembers; implements ports.Dispatcher."""

    def __init__(self) -> None:
        """Nothing was woken yet."""
        self.steps: list[str] = []

    def wake(self, step: str) -> None:
        """Remember."""
        self.steps.append(step)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a test of the line needs."""

    folder: Path
    database: Database
    tools: Tools
    platform: MemoryPlatform
    clock: FrozenClock
    classifier: WordClassifier
    account: Account

    def rows(self, *columns: str) -> list[tuple[object, ...]]:
        """Return columns of `items`, in order."""
        with self.database.reading() as connection:
            wanted = sa.select(*(ITEMS.c[name] for name in columns)).order_by(ITEMS.c.id)
            return [tuple(row) for row in connection.execute(wanted)]

    def states(self) -> list[str]:
        """Return every item's state, in order."""
        return [str(row[0]) for row in self.rows("state")]

    def ledger_events(self) -> list[str]:
        """Return the ledger's events, in order."""
        with self.database.reading() as connection:
            wanted = sa.select(ledger.LEDGER.c.event).where(ledger.LEDGER.c.school == SCHOOL.slug).order_by(ledger.LEDGER.c.seq)
            return list(connection.execute(wanted).scalars())

    def run(self, *names: str) -> None:
        """Run steps by name until each has nothing due."""
        from moderator.jobs.schedule import SCHEDULE  # noqa: PLC0415 - only tests that run steps need it
        from moderator.steps.drain import drain  # noqa: PLC0415 - as above

        steps = {job.name: job for job in SCHEDULE}
        for name in names:
            drain(steps[name].step, self.tools, limit=steps[name].limit, deadline=self.clock.now() + timedelta(hours=1))


def approval(mode: Mode = Mode.HIDE, *, ends: date = date(2027, 8, 31)) -> Approval:
    """Return the Headteacher's approval."""
    return Approval("A-1", "Ms Oakenshaw, Headteacher", date(2026, 9, 1), "News for families", mode, ends)


def add_second_account(stage: Stage) -> None:
    """Register and approve another account of the same school, which sees the same comments."""
    with stage.database.unit() as unit:
        second = people.add_account(
            unit.connection,
            school=SCHOOL,
            platform="memory",
            handle="oakfieldsports",
            platform_id="memory-2",
            contact_email="office@oakfield.example",
            monthly_reads=10_000,
            at=NOON,
        )
        people.approve(unit.connection, second, approval())


def set_up(database: Database, folder: Path, *, mode: Mode = Mode.HIDE, monthly_reads: int = 10_000) -> Stage:
    """Return a stage over a migrated, empty database."""
    clock = TickingClock(NOON)
    signer = Signer.generate()
    with database.unit() as unit:
        people.put_school(unit.connection, SCHOOL)
        number = people.add_account(
            unit.connection,
            school=SCHOOL,
            platform="memory",
            handle="oakfieldprimary",
            platform_id="memory-1",
            contact_email="office@oakfield.example",
            monthly_reads=monthly_reads,
            at=NOON,
        )
        people.approve(unit.connection, number, approval(mode))
        unit.append(SCHOOL.slug, ledger.opened(signer.public_key, NOON))
    platform = MemoryPlatform()
    classifier = WordClassifier()
    vault = FolderVault(folder / "vault")
    sealing = Sealing(vault=vault, signer=signer, authorities=(), software="moderator test")
    recorder = StillRecorder(sealing=sealing, clock=clock, templates=ASSETS / "templates")
    tools = Tools(
        store=database,
        platform_for=lambda _account: platform,
        classifier=classifier,
        policies=FixedPolicy.bundled(),
        recorder=recorder,
        intake=SealedIntake(sealing=sealing, clock=clock, templates=ASSETS / "templates"),
        vault=vault,
        ledger=LedgerFile(database.engine, folder),
        composer=JinjaComposer(
            templates=ASSETS / "templates",
            sender="moderator@oakfield.example",
            trust_domain="oakfield.example",
            now=lambda: FrozenClock.now(clock),  # the stage's time, without a tick
        ),
        mailer=FolderMailer(folder / "outbox"),
        clock=clock,
        dispatcher=Woken(),
        review_url="https://review.oakfield.example",
        delegation="Delegation D-1 of 1 September 2026",
        visible_after_hide={"memory": CAPABILITIES.visible_after_hide},
    )
    return Stage(folder, database, tools, platform, clock, classifier, database.account(number))
