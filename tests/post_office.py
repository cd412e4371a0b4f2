"""A mail server that is as bad as real ones, and a process that can be killed at any call: for the simulated school year.

The messages are kept as what a mailbox would show of them. Times come from the same clock as the service's.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum

from moderator.domain.errors import Refused, Transient
from moderator.domain.times import FrozenClock

GREYLIST = timedelta(minutes=4)
"""How long a greylisting server turns a new message away."""


class Killed(BaseException):
    """The process died here: no `except Exception` of ours may see it."""


class Fuse:
    """Kills the process at the chosen call of a chosen point; knows what was taken by a server and not yet noted as sent."""

    def __init__(self) -> None:
        self._point, self._calls = "", 0
        self.in_flight = ""
        self.blown: Counter[str] = Counter()

    def arm(self, point: str, calls: int) -> None:
        """Kill at the `calls`-th time (from 1) that this point is passed from now on."""
        self._point, self._calls = point, calls

    def passed(self, point: str) -> None:
        """Say that the process has come to a point."""
        if point == "committed":
            self.in_flight = ""
        if point == self._point:
            self._calls -= 1
            if self._calls == 0:
                self._point = ""
                self.blown[point] += 1
                raise Killed(point)


class Mood(StrEnum):
    """How the mail server is, for a while."""

    DOWN = "down"
    """Nobody answers."""
    DROPS = "drops the line after taking"
    """It takes the message, then the line breaks: the sender sees an error."""
    GREY = "greylists"
    REFUSES = "refuses for good"
    """It says 5xx to everything, until somebody mends it."""
    SLOW = "slow"
    """Each message takes minutes."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A mood from `start` to before `end`."""

    mood: Mood
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that came into a mailbox."""

    message_id: str
    to: str
    subject: str
    at: datetime
    text: str


@dataclass
class PostOffice:
    """The mail server and every mailbox behind it; implements ports.Mailer. Outside its spells it takes what it is given."""

    clock: FrozenClock
    fuse: Fuse
    chosen: random.Random
    spells: Sequence[Spell] = ()
    arrived: list[Arrival] = field(default_factory=list)
    unsure: Counter[str] = field(default_factory=Counter)
    """By Message-ID, how often a message was taken while the sender could not know: each allows one repeat."""
    tries: Counter[str] = field(default_factory=Counter)
    """By mood, how often it was asked to take a message."""
    _grey: dict[tuple[str, datetime], datetime] = field(default_factory=dict)

    def send(self, message: EmailMessage) -> None:
        """Take a message, or not, as the mood of the hour is."""
        number = str(message["Message-ID"])
        self.fuse.passed("sending")
        spell = next((each for each in self.spells if each.start <= self.clock.now() < each.end), None)
        self.tries[spell.mood.value if spell else "well"] += 1
        if spell is not None:
            self._before(number, spell)
        self.arrived.append(_arrival(message, number, self.clock.now()))
        if spell is not None and spell.mood is Mood.DROPS and self.chosen.random() < 0.5:
            self.unsure[number] += 1
            why = "the line was dropped"
            raise Transient(why)
        self.fuse.in_flight = number
        self.fuse.passed("taken")

    def killed(self) -> None:
        """Say that the sender died: what it had just given us it did not note."""
        if self.fuse.in_flight:
            self.unsure[self.fuse.in_flight] += 1
            self.fuse.in_flight = ""

    def copies(self) -> Counter[str]:
        """Return how often each Message-ID arrived."""
        return Counter(each.message_id for each in self.arrived)

    def by_id(self) -> dict[str, list[Arrival]]:
        """Return the arrivals of each Message-ID, in order."""
        found: dict[str, list[Arrival]] = defaultdict(list)
        for each in self.arrived:
            found[each.message_id].append(each)
        return found

    def _before(self, number: str, spell: Spell) -> None:
        """Do what the mood does before a message is taken."""
        if spell.mood is Mood.DOWN:
            why = "nobody answers"
            raise Transient(why)
        if spell.mood is Mood.REFUSES:
            why = "550"
            raise Refused(why)
        if spell.mood is Mood.SLOW:
            self.clock.move(timedelta(seconds=self.chosen.randint(5, 200)))
        if spell.mood is Mood.GREY:
            first = self._grey.setdefault((number, spell.start), self.clock.now())
            if self.clock.now() < first + GREYLIST:
                why = "450"
                raise Transient(why)


def _arrival(message: EmailMessage, number: str, at: datetime) -> Arrival:
    plain = message.get_body(("plain",))
    return Arrival(number, str(message["To"]), str(message["Subject"]), at, plain.get_content() if plain is not None else "")
