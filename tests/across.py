"""A trust's digest and reports as content, for the tests that look at their mails."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from moderator.domain.account import School
from moderator.domain.digest import AccountLine, DigestCounts
from moderator.domain.events import Head
from moderator.domain.report import Report, ReportBar, ReportKind, SchoolCounts, Tally, period_of
from moderator.domain.report_rows import counter, ground_rows, rate_words, rows, wait_told
from moderator.domain.trust_digest import OwnDigest, SchoolStanding, TrustDigest, worst_first

AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DAY = date(2026, 11, 22)
LINK = "https://moderator.trust.example"
WISHES = f"{LINK}/mail-wishes"
NAMES = (
    "Northfield Primary School",
    "Ashdown School",
    "Saint Hilda's Church of England Voluntary Aided Primary School",
    "Eastmoor Academy",
)


def school(number: int) -> School:
    """Return one of the trust's schools."""
    name = NAMES[number]
    slug = name.split()[0].lower() + str(number)
    return School(slug, name, "", f"head@{slug}.example", (f"{slug}.example",), "Northfield Trust", f"ledger-{slug}.jsonl")


def standing(number: int, **changes: object) -> SchoolStanding:
    """Return a quiet school; `changes` are fields of SchoolStanding."""
    quiet = SchoolStanding(school(number), accounts=2, head=Head(1_234 + number, "3f" * 32), link=f"{LINK}/schools/{number}/today")
    return replace(quiet, **changes)  # type: ignore[arg-type] # the caller names fields of SchoolStanding


def digest(*schools: SchoolStanding, notes: tuple[str, ...] = ()) -> TrustDigest:
    """Return the digest of the trust over these schools, to one reader."""
    return TrustDigest("Northfield Trust", DAY, "lead@trust.example", "p7", worst_first(schools), notes, LINK, WISHES)


def full() -> TrustDigest:
    """Return a digest of a bad day."""
    worst = standing(
        2,
        waiting=7,
        serious=2,
        oldest=AT - timedelta(days=2, hours=3),
        unread=1,
        unchecked=(
            AccountLine(
                "sthildas_primary", "x", "hide", AT - timedelta(hours=5), 900, 1_000, "X no longer accepts this account's sign-in."
            ),
            AccountLine("sthildas_pe", "bluesky", "hide", None, 0, 1_000),
        ),
        overdue=("The password of @sthildas_primary was due to be changed by 1 November 2026. Nobody has said that it was.",),
        undelivered=2,
        faults=1,
        own_digest=OwnDigest.BOUNCED,
        counts=DigestCounts(seen=120, flagged=9, hidden=5, routed=3, withheld=1, restored=1),
    )
    waits = standing(1, waiting=1, oldest=AT - timedelta(hours=2), counts=DigestCounts(seen=20, flagged=1, routed=1))
    eventful = standing(3, counts=DigestCounts(seen=44, flagged=2, hidden=2))
    return digest(standing(0), waits, eventful, worst, notes=("What may tell of harm to somebody is not counted here.",))


def quiet() -> TrustDigest:
    """Return a digest of a day on which nothing happened."""
    return digest(*(standing(number) for number in range(4)))


WEEK = period_of(ReportKind.WEEKLY, DAY)
TERM = period_of(ReportKind.TERMLY, date(2026, 12, 1))
NOW = Tally(
    read=1_340, flagged=38, hidden=21, showing=4, routed=11, withheld=2, kept=24, restored=3, undecided=11, handed_in=1,
    gap_days=2, waits=27, wait=timedelta(hours=3, minutes=12), grounds=(("insult", 19), ("name", 12), ("identity_attack", 3)),
)  # fmt: skip
BEFORE = Tally(read=1_100, flagged=17, hidden=9, routed=8, kept=12, restored=1, undecided=4, grounds=(("insult", 9), ("threat", 2)))


def report(kind: ReportKind, *, coarse: bool = False, now: Tally = NOW, before: Tally | None = BEFORE, trust: bool = False) -> Report:
    """Return a week's or a term's report, of one school or of the trust."""
    period = WEEK if kind is ReportKind.WEEKLY else TERM
    count = counter(coarsely=coarse)
    flagged = (12, 9, 0, 17, now.flagged)
    charted = period.back(5) if before else period.back(1)
    wait = wait_told(now, coarsely=coarse)
    return Report(
        kind=kind,
        school="" if trust else "northfield0",
        name="Northfield Trust" if trust else NAMES[0],
        period=period,
        to="reader@trust.example",
        reader="p7",
        coarse=coarse,
        rows=rows(now, before, count),
        grounds=ground_rows(now, before, count),
        chart=tuple(ReportBar(each.short, count(number)) for each, number in zip(charted, flagged[-len(charted) :], strict=True)),
        schools=tuple(SchoolCounts(name, count(300), count(number)) for number, name in enumerate(NAMES, 3)) if trust else (),
        rate=rate_words(now, coarsely=coarse),
        wait=wait,
        too_few=wait is None and now.waits > 0,
        gap_days=now.gap_days,
        days=(period.last - period.first).days + 1,
        link=f"{LINK}/schools/northfield0/digests",
        wishes_link=WISHES,
    )


def mailed() -> dict[str, TrustDigest | Report]:
    """Return every kind of these mails' content, by a name for the test."""
    return {
        "trust_full": full(),
        "trust_quiet": quiet(),
        "weekly": report(ReportKind.WEEKLY),
        "weekly_first": report(ReportKind.WEEKLY, now=Tally(read=12), before=None),
        "termly_coarse": report(ReportKind.TERMLY, coarse=True),
        "termly_trust": report(ReportKind.TERMLY, coarse=True, trust=True),
    }
