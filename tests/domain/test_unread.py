"""Who comes next when nobody has read a serious alert: a table of rounds (R15, R21), and what they are told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from moderator.domain.access import Role
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine
from moderator.domain.register import Person
from moderator.domain.routes import OnDuty, RouteKind, told
from moderator.domain.unread import MAILBOX, Telling, Unread, first_told, next_readers, sent_on_words, waits_until
from moderator.domain.work import AlertAbout

AT = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
NUMBERS = {role: number for number, role in enumerate(Role, start=1)}


def person(role: Role, *, placed: str = "") -> Person:
    return Person(NUMBERS[role], f"The {role.value}", f"{role.value}@oakfield.example", placed)


def on_duty(*roles: Role, away: tuple[Role, ...] = (), head_is: str = "") -> OnDuty:
    """Return a duty with one person in each of these roles."""
    holders = {role: (person(role, placed=head_is if role is Role.HEAD else ""),) if role in roles else () for role in Role}
    return OnDuty(holders, frozenset(NUMBERS[role] for role in away))


ALL = tuple(Role)
NAMED = frozenset({"P-1"})


def rounds(kind: RouteKind, duty: OnDuty, *, named: frozenset[str] = frozenset()) -> list[set[str]]:
    """Return whom each round reaches, by role, until nobody is left."""
    people, found, tellings = told(kind, duty, named=named), [], []
    while people:
        found.append({one.email.partition("@")[0] for one in people})
        tellings += [Telling(one.id, one.email, "key", len(found) - 1, AT) for one in people]
        people = next_readers(kind, duty, named=named, tellings=tellings)
    addresses = [each.address for each in tellings]
    assert len(addresses) == len(set(addresses)), "nobody is told twice"
    return found


@pytest.mark.parametrize(
    ("kind", "duty", "named", "expected"),
    [
        (RouteKind.SEVERE, on_duty(*ALL), frozenset(), [{"head"}, {"deputy"}, {"ceo"}, {"tsl"}, {"dsl"}]),
        (RouteKind.SEVERE, on_duty(*ALL, away=(Role.DEPUTY,)), frozenset(), [{"head"}, {"ceo"}, {"tsl"}, {"dsl"}, {"deputy"}]),
        (RouteKind.SEVERE, on_duty(*ALL, away=(Role.HEAD,)), frozenset(), [{"deputy"}, {"ceo"}, {"tsl"}, {"dsl"}, {"head"}]),
        (RouteKind.SEVERE, on_duty(*ALL, away=ALL), frozenset(), [{"head", "deputy", "ceo"}, {"tsl"}, {"dsl"}]),
        (RouteKind.SEVERE, on_duty(Role.HEAD), frozenset(), [{"head"}]),
        (RouteKind.SEVERE, on_duty(*ALL, head_is="P-1"), NAMED, [{"ceo"}, {"tsl"}]),
        (RouteKind.SEVERE, on_duty(Role.HEAD, Role.DEPUTY, Role.DSL, head_is="P-1"), NAMED, []),
        (RouteKind.SAFEGUARDING, on_duty(*ALL), frozenset(), [{"dsl", "tsl"}]),
        (RouteKind.SAFEGUARDING, on_duty(*ALL, away=(Role.DSL,)), frozenset(), [{"tsl"}, {"dsl"}]),
        (RouteKind.SAFEGUARDING, on_duty(Role.HEAD, Role.DEPUTY, Role.CEO), frozenset(), [{"head"}, {"ceo"}]),
        (RouteKind.WITHHELD, on_duty(*ALL), frozenset(), [{"head", "dsl", "tsl"}, {"deputy", "ceo"}]),
        (RouteKind.SYSTEM, on_duty(*ALL), frozenset(), [{"head"}, {"deputy"}, {"ceo"}, {"tsl"}, {"dsl"}]),
    ],
)
def test_r21_each_round_reaches_further_people(kind: RouteKind, duty: OnDuty, named: frozenset[str], expected: list[set[str]]) -> None:
    assert rounds(kind, duty, named=named) == expected


@pytest.mark.parametrize("kind", [kind for kind in RouteKind if kind is not RouteKind.SAFEGUARDING])
def test_r21_the_person_named_and_those_under_them_never_come_in(kind: RouteKind) -> None:
    reached = set().union(*rounds(kind, on_duty(*ALL, head_is="P-1"), named=NAMED)[1:], set())
    assert "head" not in reached
    assert not reached & {"deputy", "dsl", "admin"}, "nobody who works under a Headteacher who is named comes in by standing in"


def test_r15_a_disclosure_goes_to_nobody_who_may_not_see_it() -> None:
    for away in ((), (Role.DSL,), (Role.DSL, Role.SAFEGUARDING_LEAD)):
        duty = on_duty(*ALL, away=away)
        stands_in = {"head", "ceo"} if len(away) == 2 else set()
        assert set().union(*rounds(RouteKind.SAFEGUARDING, duty)) <= {"dsl", "tsl"} | stands_in


def test_one_person_in_two_roles_and_a_shared_address_are_told_once() -> None:
    duty = on_duty(*ALL)
    both = replace(
        duty, holders={**duty.holders, Role.DEPUTY: duty.holders[Role.HEAD], Role.CEO: (Person(99, "X", "HEAD@oakfield.example"),)}
    )
    assert rounds(RouteKind.SEVERE, both) == [{"head"}, {"tsl"}, {"dsl"}]
    mailbox = replace(duty, holders={role: (Person(MAILBOX, "", "office@oakfield.example"),) if role is Role.HEAD else () for role in Role})
    assert rounds(RouteKind.SEVERE, mailbox) == [{"office"}]


def alert(*tellings: Telling, round_: int = 0) -> Unread:
    line = AlertLine(AlertKind.FLAGGED, Severity.SEVERE, "R-1", "It threatens somebody.", "It is recorded.", AT)
    return Unread(1, line, AlertAbout(), "R-1", round_, tellings)


def telling(role: Role, *, round_: int = 0, sent: int | None = 0, failed: bool = False) -> Telling:
    """Return how one role's person was told; `sent` is after how many minutes a server took the mail."""
    sent_at = AT + timedelta(minutes=sent) if sent is not None else None
    return Telling(NUMBERS[role], f"{role.value}@oakfield.example", "key", round_, AT, sent_at, AT if failed else None)


def test_the_time_runs_from_when_the_mail_left() -> None:
    late, now = alert(telling(Role.HEAD, sent=10)), AT + HALF_HOUR
    assert waits_until(late, now=now, after=HALF_HOUR) == AT + timedelta(minutes=40)
    assert waits_until(late, now=AT + timedelta(minutes=40), after=HALF_HOUR) is None
    unsent = alert(telling(Role.HEAD, sent=None))
    assert waits_until(unsent, now=now, after=HALF_HOUR) == now + HALF_HOUR, "what never left cannot be opened"
    one_left = alert(telling(Role.DSL, sent=None), telling(Role.SAFEGUARDING_LEAD))
    assert waits_until(one_left, now=now, after=HALF_HOUR) is None
    earlier = alert(telling(Role.HEAD), telling(Role.DEPUTY, round_=1, sent=None), round_=1)
    assert waits_until(earlier, now=now, after=HALF_HOUR) == now + HALF_HOUR, "the newest round counts"


def test_what_came_back_does_not_wait() -> None:
    now = AT + timedelta(minutes=1)
    assert waits_until(alert(telling(Role.HEAD, failed=True)), now=now, after=HALF_HOUR) is None
    assert waits_until(alert(telling(Role.HEAD, failed=True), telling(Role.DEPUTY, round_=1), round_=1), now=now, after=HALF_HOUR)


def test_a_reader_is_told_by_role_why_it_comes_to_them() -> None:
    duty, later = on_duty(*ALL), AT + timedelta(minutes=31)
    plain = sent_on_words(alert(telling(Role.HEAD)), duty, now=later)
    assert plain == "This went to the Headteacher first. Nobody has opened it for 31 minutes, so it comes to you now."
    both = alert(telling(Role.SAFEGUARDING_LEAD), telling(Role.DSL), telling(Role.HEAD))
    assert "the Trust Safeguarding Lead, the Designated Safeguarding Lead and the Headteacher first" in sent_on_words(both, duty, now=later)
    back = sent_on_words(alert(telling(Role.HEAD, failed=True)), duty, now=later)
    assert back == "This went to the Headteacher first. A mail about it could not be delivered, so it comes to you now."
    assert "for 1 minute," in sent_on_words(alert(telling(Role.HEAD)), duty, now=AT)
    assert "for 26 hours," in sent_on_words(alert(telling(Role.HEAD)), duty, now=AT + timedelta(hours=26))
    assert sent_on_words(alert(), duty, now=AT).startswith("This went to somebody else first. Nobody has opened it")
    assert "The " not in plain.replace("This", ""), "no person's name: everybody here is called The something"


def test_mailboxes_and_those_who_have_left_are_told_of_as_such() -> None:
    school = Person(MAILBOX, "", "office@oakfield.example")
    duty = replace(on_duty(*ALL), holders={Role.HEAD: (school,)})
    tellings = [Telling(MAILBOX, address, "key", 0, AT) for address in ("office@oakfield.example", "trust@oakfield.example")]
    assert first_told(alert(*tellings, telling(Role.CEO)), duty) == (
        "the school's mailbox",
        "the trust's mailbox",
        "somebody who is no longer designated",
    )
