"""A running service sees a new roll with the next comment, whoever replaced it (R20)."""

from collections.abc import Sequence

from cryptography.fernet import Fernet
from stage import SCHOOL, Stage

from moderator.build.rolls import RollReader, Rolls, matcher, standing
from moderator.domain.errors import Transient
from moderator.domain.person import RollEntry
from moderator.domain.roll_change import KINDS
from moderator.domain.score import PersonKind, Score
from moderator.domain.times import london_date
from moderator.learn.roll import RollMatcher
from moderator.store.sealed import Sealer

KEY = b"r" * 32
TILLY = RollEntry("U1", PersonKind.PUPIL, "Tilly", "Marwood")
JONAH = RollEntry("U2", PersonKind.PUPIL, "Jonah", "Bramwell")


class Names:
    """An assessor that only looks for people of the roll: the two methods that are needed of one."""

    version = "names-1"

    def __init__(self) -> None:
        """Know nobody yet."""
        self.roll: RollMatcher | None = None

    def use_roll(self, roll: RollMatcher | None) -> None:
        """Look for these people from now on."""
        self.roll = roll

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return a score a text, with the people in it."""
        del parents
        return [Score({}, self.version, people=() if self.roll is None else self.roll.find(text)) for text in texts]


def _import(stage: Stage, *entries: RollEntry) -> None:
    rolls, now = Rolls(stage.database, Sealer([Fernet.generate_key().decode()]), KEY), stage.clock.now()
    change = rolls.change(SCHOOL.slug, entries, kinds=KINDS, day=london_date(now))
    with stage.database.unit() as unit:
        rolls.replace(unit, SCHOOL.slug, change, by="ADMIN-1", at=now)


def test_r20_a_running_service_sees_a_new_roll_with_the_next_comment(stage: Stage) -> None:
    database, clock = stage.database, stage.clock
    away: list[str] = []

    def stand() -> object:
        if away:
            raise Transient(away[0])
        return standing(database, clock)

    reader = RollReader(Names(), standing=stand, matcher=lambda: matcher(database, KEY, clock))  # type: ignore[arg-type] # all it needs of an assessor

    def found() -> list[str]:
        people = reader.score(["Tilly Marwood, Jonah Bramwell"])[0].people
        return [person.reference for person in people if person.strong]

    assert reader.version == "names-1"
    assert found() == []
    away.append("the database is away")
    _import(stage, TILLY, JONAH)
    assert found() == []
    away.clear()
    assert found() == ["U1", "U2"]
