"""Digest: one message per school and London day, empty days too, with the ledger's head in it. Called by the schedule."""

from dataclasses import replace
from datetime import date
from email.message import EmailMessage

from moderator import observe
from moderator.domain.account import School
from moderator.domain.digest import Digest, WitnessMail
from moderator.domain.errors import BadInput, EvidenceFailed, Transient
from moderator.domain.times import london_date
from moderator.steps.drain import Tools

NOT_UP_TO_DATE = "The ledger's file could not be brought up to date. Ask your IT lead to run moderator verify, and keep this message."


def digest(tools: Tools, *, limit: int = 10) -> int:
    """Compose up to `limit` digests that are due; return how many were composed."""
    due = tools.store.digest_due(now=tools.clock.now())[:limit]
    for school, day in due:
        digest_for(tools, school, day)
    return len(due)


def content_of(tools: Tools, school: School, day: date) -> Digest:
    """Return one day's digest as it would be now, with who can still see what is hidden (R12). Writes nothing."""
    content = tools.store.digest_of(school, day, link=tools.review_url)
    return replace(content, visible_after_hide=tuple(tools.visible_after_hide.values()))


def digest_for(tools: Tools, school: School, day: date) -> bool:
    """Compose one day's digest into the outbox; return False when it was composed before. May be repeated.

    1. The ledger's file is brought up to date: the head in the digest is the head an outsider sees. When it cannot be, the digest goes
       out all the same and says so: a missing digest would hide the trouble, and the head must leave the machine every day.
    2. The witness mail, once a London date, goes into the outbox in the same transaction: every school's head, to the trust's mailbox.
    """
    content = content_of(tools, school, day)
    if not _brought_up_to_date(tools, school):
        content = replace(content, notes=(*content.notes, NOT_UP_TO_DATE))
    message = tools.composer.digest(content)
    witness = _witness(tools)
    with tools.store.unit() as unit:
        at = tools.clock.now()
        new = unit.digest_composed(content, message, at)
        if new and witness is not None:
            unit.mail_composed(*witness, at)
    if new:
        observe.happened("digest_composed", school=school.slug, day=day.isoformat())
    return new


def _brought_up_to_date(tools: Tools, school: School) -> bool:
    try:
        tools.ledger.sync(school.slug)
    except (Transient, EvidenceFailed) as error:
        observe.went_wrong("ledger_behind", school=school.slug, error=type(error).__name__)
        return False
    return True


def _witness(tools: Tools) -> tuple[str, str, EmailMessage] | None:
    """Return today's witness mail (key, no school, message) with every school's head as it is now; None without a mailbox for it."""
    if not tools.witness_email:
        return None
    heads = tuple((school, tools.store.head(school.slug)) for school in tools.store.schools())
    mail = WitnessMail(london_date(tools.clock.now()), tools.witness_email, tools.trust, heads)
    try:
        return mail.key, "", tools.composer.witness(mail)
    except BadInput:  # an address that no mail can go to must not keep the digest back; doctor tells of it
        observe.went_wrong("witness_not_composed")
        return None
