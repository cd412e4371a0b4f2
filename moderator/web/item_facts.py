"""What the item page shows of an item, gathered from the store, the vault and the decision. Called by `item`."""

from moderator.domain import law
from moderator.domain.access import Action
from moderator.domain.decision import Severity
from moderator.domain.digest import grounds
from moderator.domain.events import Event
from moderator.domain.lifecycle import State
from moderator.domain.review import Verdict
from moderator.domain.score import Guard, Label
from moderator.domain.work import Work
from moderator.evidence.capture.taken import IN_WORDS
from moderator.steps.review import CAN_RESTORE
from moderator.store import queue, today
from moderator.store.alerts import alerts_about
from moderator.store.listed import Listed, state_words
from moderator.store.today import HistoryLine
from moderator.web.alert_words import shown, told_at
from moderator.web.bag_files import files_of, stamp_words
from moderator.web.checked import check_record
from moderator.web.concern_facts import noted_lines
from moderator.web.marks import pieces
from moderator.web.need import Visit
from moderator.web.opened import Opened
from moderator.web.seen import seen
from moderator.web.site import Site
from moderator.web.words import waiting_words

SAFEGUARDING = frozenset({Guard.DISCLOSURE.value, Guard.CRISIS.value})
"""Labels on which the Designated Safeguarding Lead must act today (R15)."""

WORTH_TELLING = 0.05
"""Probability from which the page tells of a label (our choice)."""

TOLD_ELSEWHERE = frozenset({Event.REVIEWED.value, Event.REGISTERED.value})
"""Ledger lines that the page tells with the words people gave: decisions, advice, wishes, handing up."""

_CAN_UPHOLD = frozenset({State.RECORDED, State.HIDDEN, State.GONE})


def facts_of(site: Site, visit: Visit, opened: Opened) -> dict[str, object]:
    """Return everything the template `item` names. Reads only, apart from the check of the record."""
    work = opened.work
    decision, record = work.decision, work.record
    labels = tuple(reason.label for reason in decision.reasons) if decision else ()
    with site.database.reading() as connection:
        history = [line for line in today.history(connection, work) if line.what not in TOLD_ELSEWHERE]
        history = sorted([*history, *noted_lines(connection, work.item.id)], key=lambda line: line.at)
        told = told_at(connection, work.item.school, site.clock.now())
        alerts = [shown(each, told, school=work.item.school) for each in alerts_about(connection, work.item.school, work.item.id)]
        following = queue.next_after(connection, work.item.school, seen=seen(site, visit), but=work.item.id)
    return {
        "item": work.item,
        "comment": work.item.comment,
        "account": work.account,
        "decision": decision,
        "severity": decision.severity if decision else Severity.NONE,
        "state": state_words(_listed(opened)),
        "working": waiting_words(work.stage) if work.stage and not opened.standing.held else "",
        "held": opened.standing.held,
        "trouble": opened.standing.trouble,
        "needs_review": opened.standing.needs_review,
        "grounds": grounds(labels),
        "hints": law.hints(labels),
        "beside": law.BESIDE,
        "alerts": alerts,
        "may_say": visit.may(Action.DECIDE) and not all(each.alert.said for each in alerts),
        "pieces": pieces(work.item.comment.text, decision.reasons if decision else ()),
        "safeguarding": bool(SAFEGUARDING & set(labels)),
        "scores": _scores(work),
        "visible": _who_still_sees_it(site, work),
        "record": record,
        "kind_words": IN_WORDS[record.capture_kind] if record else "",
        "check": check_record(site, record) if record else None,
        "stamp": stamp_words(site, record) if record else "",
        "files": files_of(site, record) if record else (),
        "was_hidden": work.hide_called_at is not None,
        "history": [_named(line) for line in history],
        "verdicts": _verdicts(opened) if visit.may(Action.DECIDE) else (),
        "following": following,
    }


def _listed(opened: Opened) -> Listed:
    work, decision = opened.work, opened.work.decision
    return Listed(
        id=work.item.id,
        record_id=work.record.record_id if work.record else "",
        school=work.item.school,
        at=work.item.first_seen_at,
        state=work.state,
        outcome=decision.outcome.value if decision else "",
        severity=decision.severity if decision else Severity.NONE,
        kind=work.item.comment.kind.value,
        held=opened.standing.held,
        hideable=work.item.comment.hideable,
        trouble=opened.standing.trouble,
        awaits_advice=opened.standing.awaits_advice,
    )


def _verdicts(opened: Opened) -> tuple[str, ...]:
    """Return the decisions the form offers. While the service works on the item there are none: it would refuse them.

    While HR's advice is awaited nothing that judges is offered (R22).
    """
    work, free = opened.work, not opened.standing.awaits_advice
    if work.stage is not None:
        return ()
    offered = {
        Verdict.RETRY: opened.standing.held,
        Verdict.UPHOLD: free and work.state in _CAN_UPHOLD,
        Verdict.RESTORE: free and work.state in CAN_RESTORE,
    }
    return tuple(verdict.value for verdict, possible in offered.items() if possible)


def _scores(work: Work) -> list[tuple[str, float, float | None]]:
    """Return label, probability and threshold (None: not flagged on) of what the classifier found, highest first; under 5 % is left out."""
    if work.score is None:
        return []
    thresholds = dict(work.decision.thresholds) if work.decision else {}
    found = [(label.value.replace("_", " "), work.score.labels[label], thresholds.get(f"flag.{label.value}")) for label in Label]
    return sorted((row for row in found if row[1] >= WORTH_TELLING), key=lambda row: -row[1])


def _who_still_sees_it(site: Site, work: Work) -> str:
    """Return who can see the comment, in words (R12)."""
    sentence = site.tools.visible_after_hide.get(work.account.platform, "")
    if not work.item.comment.hideable:
        return "Everybody. This kind of comment cannot be hidden by us: report it or block its author on the platform."
    if work.state is State.GONE:
        return "Nobody: it was deleted on the platform. Copies may exist."
    if work.state is State.HIDDEN or (work.state is State.UPHELD and work.hide_called_at is not None):
        return f"It is hidden. {sentence}"
    return "Everybody. It is not hidden."


def _named(line: HistoryLine) -> HistoryLine:
    """Return a line with its actor only where a person acted: the service's own lines need no name."""
    return HistoryLine(line.at, line.what, "" if line.actor == "service" else line.actor, line.why)
