"""What the digest says in words: its headline, what was done, whether it is late. The composer calls it."""

from datetime import datetime, timedelta

from moderator.domain.digest import AccountLine, Digest, DigestCounts, LateMail
from moderator.domain.times import london_date
from moderator.mail.moments import moment_words, span_words
from moderator.mail.words import plural, sentence

NEARLY_SPENT = 0.8
"""Share of a month's reads from which an account's line warns (our choice, as on the Health page)."""


def needing(digest: Digest) -> int:
    """Return how many comments need a person."""
    return len(digest.needs_you) + digest.more_needing_you


def quiet(digest: Digest) -> bool:
    """Return whether nothing happened that anybody is told of."""
    told = digest.counts
    happened = told.flagged or told.withheld or told.held or told.hidden or told.restored or told.upheld
    return not (needing(digest) or digest.done or happened or digest.dues or digest.undelivered)


def headline(digest: Digest, *, troubled: int) -> str:
    """Return the one thing that the digest says, as its subject and its first words; `troubled` accounts need attention."""
    waiting, overdue = needing(digest), sum(line.overdue for line in digest.dues)
    for number, one, more in (
        (waiting, "1 comment needs you", f"{plural(waiting, 'comment')} need you"),
        (digest.evidence.faults, "The evidence needs attention", "The evidence needs attention"),
        (not digest.accounts, "Nothing is being checked", ""),
        (troubled, "1 account needs attention", f"{plural(troubled, 'account')} need attention"),
        (len(digest.undelivered), "Mail did not arrive", "Mail did not arrive"),
        (overdue, "1 date has passed", f"{plural(overdue, 'date')} have passed"),
        (len(digest.dues), "1 date is coming", f"{plural(len(digest.dues), 'date')} are coming"),
    ):
        if number:
            return one if number == 1 else more
    return "Nothing to report" if quiet(digest) else "Nothing waits for you"


def quiet_day(seen: int) -> str:
    """Return what an empty day says."""
    return (
        f"{plural(seen, 'new comment')} came in. {'It was not' if seen == 1 else 'None was'} flagged."
        if seen
        else "No new comments came in."
    )


def done_words(counts: DigestCounts) -> str:
    """Return what was done, as one sentence; empty when nothing was."""
    said = [
        words
        for number, words in (
            (counts.hidden, f"{counts.hidden:,} hidden"),
            (counts.routed, f"{counts.routed:,} left showing for a person to decide"),
            (counts.withheld, f"{counts.withheld:,} for the police only"),
            (counts.restored, f"{counts.restored:,} restored by a person"),
            (counts.upheld, f"{counts.upheld:,} upheld by a person"),
        )
        if number
    ]
    if len(said) > 1:
        said[-2:] = [f"{said[-2]} and {said[-1]}"]
    return f"{', '.join(said)}." if said else ""


def days_words(digest: Digest) -> str:
    """Return the days it tells of: `Friday 20 to Sunday 22 November 2026`."""
    return span_words(digest.begins, digest.day)


def numbers_title(digest: Digest) -> str:
    """Return the title of its counts."""
    days = (digest.day - digest.begins) // timedelta(days=1) + 1
    return "The day in numbers" if days == 1 else f"The {days} days in numbers"


def late_words(digest: Digest, now: datetime) -> str:
    """Return that it comes late, and when it was due; empty when it is in time."""
    if digest.due_on is None or london_date(now) <= digest.due_on:
        return ""
    return f"This digest is late. It was due on {span_words(digest.due_on, digest.due_on)}."


def mail_words(mail: LateMail) -> str:
    """Return what is said of mails of one kind that did not arrive."""
    what = mail.what if mail.count == 1 else f"{mail.what}, and {mail.count - 1:,} more like it,"
    state = "came back" if mail.bounced else "could not be delivered yet"
    since = "on" if mail.count == 1 and mail.bounced else "since"
    trouble = f" {sentence(mail.trouble)}" if mail.trouble else ""
    then = "Ask your IT lead to look at the address." if mail.bounced else "The service keeps trying."
    return f"{what} {state}, {since} {moment_words(mail.since)}.{trouble} {then}"


def spent_words(account: AccountLine) -> str:
    """Return a warning that an account's reads of the month run out; empty while there are enough."""
    if account.reads_budget <= 0 or account.reads_used < NEARLY_SPENT * account.reads_budget:
        return ""
    return f"{account.reads_used * 100 // account.reads_budget}% of this month's reads are used. When they run out, nothing new is read."
