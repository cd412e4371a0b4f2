"""Escalate: hand an item up to a role, whose holders are told by mail at once. Called by the review app."""

from email.message import EmailMessage

from moderator import observe
from moderator.domain.about import grounds_of
from moderator.domain.access import ROLE_WORDS, Role
from moderator.domain.concern import Escalation, note_of, receivers
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine, AlertMail, grounds
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import State
from moderator.domain.times import london_date
from moderator.domain.work import Work
from moderator.steps.advice import POLICE_ONLY
from moderator.steps.drain import Tools
from moderator.steps.hold import subject_of

DONE = "Somebody at your school asks you to look at it. Their reason is on its page."


def escalate(tools: Tools, item_id: int, *, role: str, by: str, why: str) -> int:
    """Hand an item up to everybody who has a role at its school; return how many mails that are.

    1. Refuse a role that may not see the item (R15), or one that nobody has whom the item does not name (R21).
    2. In one transaction: the entry, the ledger's line, and a mail in the outbox to each of them. The item needs a person again.

    Raises BadInput for a reason that is too short or a role that cannot be chosen, NotAllowed when there is nobody to tell.
    """
    work = tools.store.work(item_id)
    if work.state is State.WITHHELD:
        raise NotAllowed(POLICE_ONLY)
    receiver = _receiver(role, safeguarding=tools.store.is_safeguarding(item_id))
    at = tools.clock.now()
    entry = Escalation(item_id, receiver, note_of(why, what="Say why they should look"), by, at)
    addresses = _addresses(tools, work, receiver)
    mails = [_mail(tools, work, entry, to=address, number=number) for number, address in enumerate(addresses)]
    line = LedgerEvent(Event.REGISTERED, at, subject_of(work), actor=by, reason="escalated", facts={"role": receiver.value})
    with tools.store.unit() as unit:
        unit.escalated(entry)
        unit.append(work.item.school, line)
        for key, message in mails:
            unit.mail_composed(key, work.item.school, message, at)
    tools.ledger.sync(work.item.school)
    observe.happened("item_escalated", item=item_id, role=receiver.value, mails=len(mails))
    return len(mails)


def _receiver(role: str, *, safeguarding: bool) -> Role:
    found = next((each for each in receivers(safeguarding=safeguarding) if each.value == role), None)
    if found is None:
        message = "Choose to whom it goes."
        raise BadInput(message)
    return found


def _addresses(tools: Tools, work: Work, role: Role) -> list[str]:
    """Return where the mails go. Raises NotAllowed when that is nowhere."""
    day = london_date(tools.clock.now())
    found = tools.store.addresses_of(role, work.item.school, item_id=work.item.id, day=day)
    if not found:
        message = (
            f"Nobody is designated as {ROLE_WORDS[role]} who may get it: there is none, or the comment names them. Choose another role."
        )
        raise NotAllowed(message)
    return list(dict.fromkeys(found))


def _mail(tools: Tools, work: Work, entry: Escalation, *, to: str, number: int) -> tuple[str, EmailMessage]:
    decision = work.decision
    line = AlertLine(
        kind=AlertKind.ESCALATED,
        severity=decision.severity if decision is not None and decision.severity is not Severity.NONE else Severity.ORDINARY,
        subject=subject_of(work),
        what=grounds(grounds_of(decision)) if decision is not None else "The service could not judge it.",
        done=DONE,
        at=entry.at,
        link=f"{tools.review_url}/items/{work.item.id}",
    )
    key = f"escalated-{work.item.id}-{entry.at.isoformat()}-{number}"
    return key, tools.composer.alert(AlertMail(key, work.account.school, to, (line,)))
