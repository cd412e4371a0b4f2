"""What the trust's digest says of each school in words: what waits, what is not checked, what did not arrive. The composer calls it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from moderator.domain.digest import AccountLine, DigestCounts
from moderator.domain.events import head_line
from moderator.domain.trust_digest import Level, OwnDigest, SchoolStanding, TrustDigest
from moderator.mail.digest_words import done_words
from moderator.mail.moments import gap_words, moment_words
from moderator.mail.words import at_handle, platform_words, plural, sentence

IN_FULL = 3
"""How many overdue dates, and accounts in trouble, are told of one school in full; the rest is counted, so that it stays one page."""

_OWN = {
    OwnDigest.WAITING: "Its own digest is written, but no mail server has taken it yet. The service keeps trying.",
    OwnDigest.BOUNCED: "Its own digest came back. Ask your IT lead to look at the address.",
    OwnDigest.MISSING: "Its own digest was not made. Ask your IT lead to look at the service.",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence about a school; `serious` when somebody must look now."""

    text: str
    serious: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """One line of the day's numbers, over every school."""

    what: str
    number: int


def headline(digest: TrustDigest) -> str:
    """Return the one thing that the digest says, as its subject and its first words."""
    now = sum(each.level is Level.SERIOUS for each in digest.schools)
    waiting = sum(each.level is Level.ATTENTION for each in digest.schools)
    if now:
        return f"{plural(now, 'school')} {'needs' if now == 1 else 'need'} somebody to look now"
    if waiting:
        return f"{plural(waiting, 'school')} {'has' if waiting == 1 else 'have'} something waiting"
    return "Nothing waits at any school" if any(each.eventful for each in digest.schools) else "Nothing to report at any school"


def said_of(school: SchoolStanding, now: datetime) -> tuple[Said, ...]:
    """Return what there is to say of a school, the most urgent first; empty when it has nothing waiting."""
    return (*_unread(school), *_waiting(school, now), *_accounts(school, now), *_rest(school))


def _unread(school: SchoolStanding) -> Iterator[Said]:
    if school.unread:
        yield Said(f"{plural(school.unread, 'serious alert')} that nobody has read.", serious=True)


def _waiting(school: SchoolStanding, now: datetime) -> Iterator[Said]:
    if not school.waiting:
        return
    serious = (
        f", {school.serious:,} of them serious"
        if school.serious and school.waiting > 1
        else ", and it is serious"
        if school.serious
        else ""
    )
    waits = "waits" if school.waiting == 1 else "wait"
    oldest = f" The oldest came {gap_words(now - school.oldest)} ago: {moment_words(school.oldest)}." if school.oldest else ""
    yield Said(f"{plural(school.waiting, 'comment')} {waits} for a person{serious}.{oldest}", serious=bool(school.serious))


def _accounts(school: SchoolStanding, now: datetime) -> Iterator[Said]:
    for line in school.unchecked[:IN_FULL]:
        yield Said(_account(line, now), serious=True)
    if len(school.unchecked) > IN_FULL:
        yield Said(f"And {plural(len(school.unchecked) - IN_FULL, 'account')} more like it.", serious=True)
    if school.unapproved == school.accounts:
        yield Said("No account is approved. Nothing is being checked.")


def _account(line: AccountLine, now: datetime) -> str:
    name = f"{at_handle(line.handle)} on {platform_words(line.platform)}"
    gap = "has not been checked yet" if line.last_good_poll is None else f"was last checked {gap_words(now - line.last_good_poll)} ago"
    return f"{name} {gap}.{f' {sentence(line.trouble)}' if line.trouble else ''}"


def _rest(school: SchoolStanding) -> Iterator[Said]:
    if school.faults:
        yield Said(f"The check of the evidence found {plural(school.faults, 'fault')}.", serious=True)
    if school.own_digest in _OWN:
        yield Said(_OWN[school.own_digest], serious=school.own_digest is not OwnDigest.WAITING)
    for each in school.overdue[:IN_FULL]:
        yield Said(sentence(each))
    if len(school.overdue) > IN_FULL:
        yield Said(f"And {plural(len(school.overdue) - IN_FULL, 'date')} more that have passed.")
    if school.undelivered:
        yield Said(f"{plural(school.undelivered, 'mail')} did not arrive. Its Alerts page says which.")


def day_of(counts: DigestCounts) -> str:
    """Return what happened at a school that day, as a sentence; empty when nothing did."""
    done = done_words(counts)
    if not counts.flagged:
        return done
    return f"{counts.flagged:,} flagged: {done}" if done else f"{counts.flagged:,} flagged."


def totals(digest: TrustDigest) -> tuple[Total, ...]:
    """Return the day's numbers over every school: those five always, so that a nought is said and not left out."""
    names = (("flagged", "Flagged"), ("hidden", "Hidden"), ("routed", "Left showing for a person"), ("withheld", "For the police only"))
    return tuple(
        Total(what, sum(getattr(each.counts, name) for each in digest.schools))
        for name, what in (*names, ("restored", "Restored by a person"))
    )


def own_digests(digest: TrustDigest) -> str:
    """Return whether the schools' own digests of that day went out, as a sentence."""
    sent = sum(each.own_digest is OwnDigest.SENT for each in digest.schools)
    later = [each.school.name for each in digest.schools if each.own_digest is OwnDigest.LATER]
    said = (
        "Every school's own digest was sent."
        if sent == len(digest.schools)
        else f"Own digests sent: {sent} of {plural(len(digest.schools), 'school')}."
    )
    return f"{said} At its own hour or on the next school day it comes at {', '.join(later)}." if later else said


def head_lines(digest: TrustDigest) -> tuple[tuple[str, str], ...]:
    """Return each school's name with its ledger's head, as `moderator verify --head` reads it; in order of the names."""
    named = sorted(digest.schools, key=lambda each: each.school.name)
    return tuple((each.school.name, head_line(each.school.slug, each.head)) for each in named)
