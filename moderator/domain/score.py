"""What the classifier says about a text: probabilities, people, personal data and guards. No decision is made here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Label(StrEnum):
    """Labels of the abuse model; each has a calibrated probability from 0 to 1 (DESIGN §7)."""

    ABUSIVE = "abusive"
    INSULT = "insult"
    THREAT = "threat"
    IDENTITY_ATTACK = "identity_attack"
    SEXUAL = "sexual"
    PROFANITY = "profanity"
    HARASSMENT = "harassment"


class Guard(StrEnum):
    """What must reach a person and is never hidden by the machine (R15, R16, R17, R19)."""

    DISCLOSURE = "disclosure"
    CRISIS = "crisis"
    WHISTLEBLOWING = "whistleblowing"
    COMPLAINT = "complaint"
    INDECENT_IMAGE = "indecent_image"
    ACCUSED_TEACHER = "accused_teacher"


class PersonKind(StrEnum):
    """Whom a found name belongs to (R20). `unknown` is a person nobody has on a roll; `public` a public figure."""

    PUPIL = "pupil"
    STAFF = "staff"
    PARENT = "parent"
    GOVERNOR = "governor"
    OTHER = "other"
    PUBLIC = "public"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PersonSpan:
    """A person named in the text: `text[start:end]` in code points of the text as given.

    `source` is `roll`, `honorific`, `tagger`, …; `reference` the roll entry's reference when there is one; `strong` is False for
    weak evidence such as a lone first name, which never flags by itself. `shared` are the references of all whom a form of several people
    may mean, when `reference` is "".
    """

    start: int
    end: int
    text: str
    kind: PersonKind
    source: str
    reference: str = ""
    strong: bool = True
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PiiSpan:
    """Personal data in the text (`phone`, `email`, `postcode`, …), as code points of the text as given."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason in plain English. `label` is a Label, a Guard, `name` or `pii`; the span points at the text as given."""

    label: str
    start: int
    end: int
    why: str


@dataclass(frozen=True, slots=True)
class GuardHit:
    """A guard that may apply: which, where, why in plain English, and how sure.

    `chance` is 0 to 1: 1.0 where a rule's wording matched, else the trained part's probability. The policy says from which chance a
    guard is in force; a rule's hit always is, since no threshold is above 1.
    """

    guard: Guard
    start: int
    end: int
    why: str
    chance: float = 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """Everything the classifier found in one text. `model` is the model version; `labels` always holds every Label."""

    labels: Mapping[Label, float]
    model: str
    people: tuple[PersonSpan, ...] = ()
    pii: tuple[PiiSpan, ...] = ()
    guards: tuple[GuardHit, ...] = ()
    reasons: tuple[Reason, ...] = field(default_factory=tuple)
    normalised: str = ""
