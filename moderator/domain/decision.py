"""A decision: what the policy makes of a score."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from moderator.domain.score import Reason


class Outcome(StrEnum):
    """What is to be done. Only `hide` may ever lead to a hide."""

    CLEAR = "clear"
    HIDE = "hide"
    ROUTE = "route"
    WITHHOLD = "withhold"


class Severity(StrEnum):
    """How fast a person must know: `severe` at once, `ordinary` within five minutes (R7)."""

    NONE = "none"
    ORDINARY = "ordinary"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. `policy` and `section` cite the policy version and section (R32).

    `thresholds` are those in force, by label; `considered` lists in plain English what was weighed and passed over.
    """

    outcome: Outcome
    severity: Severity
    reasons: tuple[Reason, ...]
    policy: str
    section: str
    thresholds: Mapping[str, float]
    considered: tuple[str, ...] = ()
