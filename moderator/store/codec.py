"""Rows to nouns and back: JSON columns are written compactly and read strictly."""

import json
import zlib
from functools import lru_cache
from typing import Any

from sqlalchemy import RowMapping

from moderator.domain.account import Account, Approval, Mode, School
from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.item import Author, Item, ItemKind, MediaCount, Page, Post, SeenComment
from moderator.domain.record import CaptureKind, SealedRecord
from moderator.domain.score import Guard, GuardHit, Label, PersonKind, PersonSpan, PiiSpan, Reason, Score
from moderator.domain.times import from_utc_text, utc_text

Row = RowMapping

SEVERITY_RANK = {Severity.SEVERE: 0, Severity.ORDINARY: 1, Severity.NONE: 9}

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


_LABELS = tuple(Label)

_BARE = 2
"""Parts of a score in which nothing was found, as nearly every score is: model and labels."""


def list_text(values: tuple[str, ...]) -> str:
    """Return a JSON list of strings."""
    return _encode(list(values))


def score_text(score: Score) -> str:
    """Return a score as JSON; empty parts are left out."""
    parts: dict[str, object] = {"m": score.model, "l": [round(score.labels[label], 5) for label in _LABELS]}
    if score.people:
        parts["p"] = [
            [p.start, p.end, p.text, p.kind, p.source, p.reference, p.strong, *([list(p.shared)] if p.shared else [])] for p in score.people
        ]
    if score.pii:
        parts["i"] = [[p.start, p.end, p.kind] for p in score.pii]
    if score.guards:
        parts["g"] = [[g.guard, g.start, g.end, g.why, g.chance] for g in score.guards]
    if score.reasons:
        parts["r"] = [[r.label, r.start, r.end, r.why] for r in score.reasons]
    if score.people or score.guards or score.reasons:
        parts["n"] = score.normalised
    return _encode(parts)


def labels_alone(text: str) -> str:
    """Return a stored score with nothing but model and chances: no words, no people, no spans (R28)."""
    parts = json.loads(text)
    return text if len(parts) == _BARE else _encode({"m": parts["m"], "l": parts["l"]})


def score_from(text: str) -> Score:
    """Return the score that `score_text` wrote."""
    parts = json.loads(text)
    labels = dict(zip(_LABELS, parts["l"], strict=True))
    if len(parts) == _BARE:
        return Score(labels, parts["m"])
    return Score(
        labels=labels,
        model=parts["m"],
        people=tuple(PersonSpan(p[0], p[1], p[2], PersonKind(p[3]), p[4], p[5], p[6], tuple(*p[7:])) for p in parts.get("p", ())),
        pii=tuple(PiiSpan(*p) for p in parts.get("i", ())),
        guards=tuple(GuardHit(Guard(g[0]), *g[1:]) for g in parts.get("g", ())),
        reasons=tuple(Reason(*r) for r in parts.get("r", ())),
        normalised=parts.get("n", ""),
    )


def decision_text(decision: Decision) -> str:
    """Return a decision as JSON."""
    return _encode(
        {
            "outcome": decision.outcome,
            "severity": decision.severity,
            "reasons": [[r.label, r.start, r.end, r.why] for r in decision.reasons],
            "policy": decision.policy,
            "section": decision.section,
            "thresholds": dict(decision.thresholds),
            "considered": decision.considered,
        }
    )


def decision_from(text: str) -> Decision:
    """Return the decision that `decision_text` wrote."""
    parts = json.loads(text)
    return Decision(
        outcome=Outcome(parts["outcome"]),
        severity=Severity(parts["severity"]),
        reasons=tuple(Reason(*r) for r in parts["reasons"]),
        policy=parts["policy"],
        section=parts["section"],
        thresholds=parts["thresholds"],
        considered=tuple(parts["considered"]),
    )


def _post_list(post: Post) -> list[object]:
    when = utc_text(post.posted_at) if post.posted_at else None
    return [post.id, post.author.id, post.author.handle, post.author.name, post.text, when]


@lru_cache(maxsize=256)
def _thread_from(text: str) -> tuple[Post, ...]:
    """Return a stored thread. Kept, because a hundred replies share one post."""
    return tuple(_post_from(parts) for parts in json.loads(text))


def _post_from(parts: list[Any]) -> Post:
    return Post(parts[0], Author(parts[1], parts[2], parts[3]), parts[4], from_utc_text(parts[5]) if parts[5] else None)


def comment_columns(comment: SeenComment) -> dict[str, object]:
    """Return the columns of `items` that hold the comment. JSON escapes keep lone surrogates storable."""
    return {
        "comment_id": comment.comment_id,
        "version": comment.version,
        "kind": comment.kind.value,
        "author_id": comment.author.id,
        "author_handle": storable(comment.author.handle),
        "author_name": storable(comment.author.name),
        "text": storable(comment.text),
        "posted_at": comment.posted_at,
        "place": comment.place,
        "conversation_id": comment.conversation_id,
        "edited": comment.edited,
        "media": _encode([[m.kind, m.count] for m in comment.media]) if comment.media else "[]",
        "thread": _encode([_post_list(post) for post in comment.thread]) if comment.thread else "[]",
        "hideable": comment.hideable,
    }


def storable(text: str) -> str:
    """Return text that both databases take: NUL and lone surrogates become U+FFFD. The exact bytes are kept with the page."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\0", "\ufffd")


def comment_from(row: Row) -> SeenComment:
    """Return the comment of an `items` row."""
    return SeenComment(
        comment_id=row["comment_id"],
        kind=ItemKind(row["kind"]),
        author=Author(row["author_id"], row["author_handle"], row["author_name"]),
        text=row["text"],
        posted_at=row["posted_at"],
        place=row["place"],
        conversation_id=row["conversation_id"],
        edited=row["edited"],
        media=tuple(MediaCount(*m) for m in json.loads(row["media"])) if row["media"] != "[]" else (),
        thread=_thread_from(row["thread"]),
        hideable=row["hideable"],
    )


def item_from(row: Row) -> Item:
    """Return the item of an `items` row."""
    return Item(row["id"], row["account_id"], row["school"], row["platform"], comment_from(row), row["first_seen_at"])


def record_from(row: Row) -> SealedRecord:
    """Return the sealed record of a `records` row."""
    return SealedRecord(
        record_id=row["record_id"],
        path=row["path"],
        manifest_sha256=row["manifest_sha256"],
        captured_at=row["captured_at"],
        sealed_at=row["sealed_at"],
        capture_kind=CaptureKind(row["capture_kind"]),
        stamp_pending=row["stamp_pending"],
        blocked_requests=row["blocked_requests"],
    )


def page_columns(page: Page) -> dict[str, object]:
    """Return the columns of `pages` for one answer; the body is compressed."""
    return {
        "status": page.status,
        "request_id": page.request_id,
        "headers": _encode(page.headers),
        "body": zlib.compress(page.body, 6),
    }


def page_from(row: Row) -> Page:
    """Return the stored answer, without comments and cursor."""
    return Page(
        (),
        "",
        more=False,
        reads=0,
        body=zlib.decompress(row["body"]),
        headers=json.loads(row["headers"]),
        status=row["status"],
        request_id=row["request_id"],
    )


def school_from(row: Row) -> School:
    """Return the school of a `schools` row."""
    return School(
        slug=row["slug"],
        name=row["name"],
        urn=row["urn"],
        head_email=row["head_email"],
        email_domains=tuple(json.loads(row["email_domains"])),
        trust=row["trust"],
        ledger=row["ledger"],
        trust_domains=tuple(json.loads(row["trust_domains"])),
    )


def approval_from(row: Row) -> Approval:
    """Return the approval of an `approvals` row."""
    return Approval(
        reference=row["reference"],
        approver=row["approver"],
        approved_on=row["approved_on"],
        purpose=row["purpose"],
        mode=Mode(row["mode"]),
        ends_on=row["ends_on"],
        withdrawn_at=row["withdrawn_at"],
    )


def account_from(row: Row, school: School, approval: Approval | None) -> Account:
    """Return the account of an `accounts` row."""
    return Account(
        id=row["id"],
        school=school,
        platform=row["platform"],
        handle=row["handle"],
        platform_id=row["platform_id"],
        contact_email=row["contact_email"],
        monthly_reads=row["monthly_reads"],
        approval=approval,
    )
