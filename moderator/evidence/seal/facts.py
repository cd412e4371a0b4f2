"""The facts of a record: `record.json` and `decision.json` (RECORD.md). Called by the recorder."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from moderator.domain.item import Post
from moderator.domain.record import Evidence
from moderator.domain.times import london_text, utc_text
from moderator.evidence.capture.taken import IN_WORDS, LOCALE, Capture
from moderator.evidence.seal.bag import FORMAT

CAPTURED = "captured_by_service"
"""Where the record comes from; the other origin is `submitted_by_person`."""


def record_facts(
    evidence: Evidence, capture: Capture, *, sealed_at: datetime, software: str, authorities: Sequence[Mapping[str, str]]
) -> dict[str, object]:
    """Return `record.json`: flat keys. `authorities`: name and `chain_sha256` of each timestamp authority that is set up."""
    offset, source = _clock_offset(evidence, capture)
    return {
        "format": FORMAT,
        "record_id": evidence.record_id,
        "nonce": secrets.token_hex(16),
        "origin": CAPTURED,
        **_who(evidence),
        **_what(evidence),
        **_when("captured", capture.ended_at),
        "capture_started_utc": utc_text(capture.started_at),
        "capture_ended_utc": utc_text(capture.ended_at),
        **_when("sealed", sealed_at),
        "clock_offset_seconds": offset,
        "clock_offset_source": source,
        **_how(evidence, capture),
        "software": software,
        "model": evidence.score.model,
        "policy": evidence.decision.policy,
        "policy_section": evidence.decision.section,
        "timestamp_authorities": [dict(each) for each in authorities],
    }


def _who(evidence: Evidence) -> dict[str, object]:
    account = evidence.account
    school, approval = account.school, account.approval
    return {
        "trust": school.trust,
        "school": school.slug,
        "school_name": school.name,
        "school_urn": school.urn,
        "account_handle": account.handle,
        "account_platform_id": account.platform_id,
        "account_mode": evidence.mode,
        "approval_reference": approval.reference if approval else "",
        "approver": approval.approver if approval else "",
        "official_email_domain": account.contact_email.rpartition("@")[2],
        "operator": f"the moderator service, acting on delegation {evidence.delegation or '(none on file)'}",
        "delegation": evidence.delegation,
        "designated_admin_on_duty": evidence.admin_on_duty,
    }


def _what(evidence: Evidence) -> dict[str, object]:
    item = evidence.item
    comment = item.comment
    return {
        "platform": item.platform,
        "comment_id": comment.comment_id,
        "comment_kind": comment.kind.value,
        "place": comment.place,
        "site": urlsplit(comment.place).hostname or "",
        "conversation_id": comment.conversation_id,
        "parent_post_id": comment.thread[-1].id if comment.thread else "",
        "thread": [_post(post) for post in comment.thread],
        "author_id": comment.author.id,
        "author_handle": comment.author.handle,
        "author_name": comment.author.name,
        "text": comment.text,
        "version": comment.version,
        "edited": comment.edited,
        "deleted_when_captured": evidence.gone,
        **_when("posted", comment.posted_at),
        **_when("first_seen", item.first_seen_at),
        "media": [{"kind": each.kind, "count": each.count, "status": "not_fetched"} for each in comment.media],
        "media_count": sum(each.count for each in comment.media),
        **edited_since(evidence),
    }


def edited_since(evidence: Evidence) -> dict[str, object]:
    """Return what the look-up at capture told: where `api-response.json` comes from, and whether the text had changed since."""
    fetched = evidence.fetched
    if fetched is None:
        return {
            "api_response_source": "first_seen_page",
            "not_looked_up_why": evidence.not_fetched_why,
            "text_changed_since_first_seen": None,
        }
    return {
        "api_response_source": "lookup_at_capture",
        "not_looked_up_why": "",
        "text_changed_since_first_seen": fetched.comment.text != evidence.item.comment.text,
    }


def _how(evidence: Evidence, capture: Capture) -> dict[str, object]:
    answer = evidence.fetched or evidence.first_seen
    return {
        "capture_kind": capture.kind.value,
        "capture_kind_in_words": IN_WORDS[capture.kind],
        "why_not_live_page": capture.why_not_live,
        "session": "signed out",
        "page_http_status": capture.status,
        "page_request_id": capture.request_id,
        "api_http_status": answer.status,
        "api_request_id": answer.request_id,
        "api_session": "authorised",
        "browser": capture.browser,
        "user_agent": capture.user_agent,
        "viewport": capture.viewport,
        "locale": LOCALE,
        "parent_post_shown": capture.parent_shown,
        "page_address": capture.address,
        "page_height_px": capture.page_height,
        "picture_starts_at_px": capture.page_top,
        "picture_cut_short": capture.cut_short,
        "comment_in_picture_px": list(capture.comment_at) if capture.comment_at else None,
        "embed_address": capture.embed,
        "requests_blocked": sum(capture.blocked.values()),
        "requests_blocked_by_type": dict(sorted(capture.blocked.items())),
        "self_test": "passed",
        "self_test_of": "the picture opens and is not blank; the signature was checked with the public key after signing",
    }


def _when(name: str, moment: datetime) -> dict[str, object]:
    return {f"{name}_utc": utc_text(moment), f"{name}_london": london_text(moment)}


def _post(post: Post) -> dict[str, object]:
    posted = {} if post.posted_at is None else _when("posted", post.posted_at)
    return {"id": post.id, "author_handle": post.author.handle, "author_name": post.author.name, "text": post.text, **posted}


def _clock_offset(evidence: Evidence, capture: Capture) -> tuple[float | None, str]:
    """Return our clock less the other side's, in seconds, as far as an HTTP Date header (whole seconds) can tell."""
    if capture.page_date:
        offset = _seconds_between(capture.ended_at, capture.page_date)
        if offset is not None:
            return offset, "Date header of the captured page, whole seconds, at the end of the capture"
    dates = [value for name, value in evidence.fetched.headers.items() if name.lower() == "date"] if evidence.fetched else []
    if dates:
        offset = _seconds_between(capture.started_at, dates[0])
        if offset is not None:
            return offset, "Date header of the platform's API answer, whole seconds, at the start of the capture"
    return None, "not measured: no answer carried a time"


def _seconds_between(ours: datetime, theirs: str) -> float | None:
    try:
        there = parsedate_to_datetime(theirs)
    except ValueError:
        return None
    there = there.replace(tzinfo=UTC) if there.tzinfo is None else there
    return round((ours - there).total_seconds(), 3)


def decision_facts(evidence: Evidence) -> dict[str, object]:
    """Return `decision.json`: why the comment was flagged. Roll matches by kind and reference only, never the roll's names (R29)."""
    score, decision = evidence.score, evidence.decision
    return {
        "format": FORMAT,
        "record_id": evidence.record_id,
        "outcome": decision.outcome.value,
        "severity": decision.severity.value,
        "mode": evidence.mode,
        "policy": decision.policy,
        "policy_section": decision.section,
        "model": score.model,
        "labels": {label.value: probability for label, probability in score.labels.items()},
        "thresholds": dict(decision.thresholds),
        "reasons": [asdict(reason) for reason in decision.reasons],
        "matched_spans": [{"label": each.label, "start": each.start, "end": each.end, "why": each.why} for each in score.reasons],
        "normalised": score.normalised,
        "people": [
            {"start": p.start, "end": p.end, "kind": p.kind.value, "source": p.source, "reference": p.reference, "strong": p.strong}
            for p in score.people
        ],
        "personal_data": [asdict(span) for span in score.pii],
        "guards": [
            {"guard": hit.guard.value, "start": hit.start, "end": hit.end, "why": hit.why, "chance": round(hit.chance, 4)}
            for hit in score.guards
        ],
        "considered": list(decision.considered),
    }
