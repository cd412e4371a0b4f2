"""Capture and seal: one call, one bag in the vault (RECORD.md). Called by the record step through ports.Recorder."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from moderator.domain.errors import EvidenceFailed, Refused, Transient
from moderator.domain.record import CaptureKind, Evidence, SealedRecord, record_path
from moderator.evidence.capture.archive import wacz
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.panel import check_picture, framed
from moderator.evidence.capture.rendering import comment_page, environment
from moderator.evidence.capture.shown import Seen
from moderator.evidence.capture.still import draw_still
from moderator.evidence.capture.taken import VIEWPORT, Capture, Wanted
from moderator.evidence.seal.canonical import json_bytes, showable
from moderator.evidence.seal.facts import decision_facts, record_facts
from moderator.evidence.seal.guide import guide
from moderator.evidence.seal.sealing import Draft, Sealing
from moderator.observe import went_wrong
from moderator.ports import Clock

NO_BROWSER = "the service was set up to draw without a browser"


class StillRecorder:
    """Seals records drawn from the platform's data, without a browser; implements ports.Recorder."""

    def __init__(self, *, sealing: Sealing, clock: Clock, templates: Path) -> None:
        """Take the way into the vault, the clock, and the folder that holds `record/`."""
        self._sealing, self._clock = sealing, clock
        self._templates = environment(templates)

    def seal(self, evidence: Evidence) -> SealedRecord:
        """Return the sealed record, on disk, fsynced, read back and compared.

        1. A bag that is there already is checked in full and returned.
        2. Capture: picture, page, platform bytes, facts.
        3. Seal. When another worker sealed the same comment meanwhile, its bag is checked in full and returned.

        May be repeated. Raises EvidenceFailed when no picture could be made or the stored bag is damaged, Transient when the disk is full
        or the vault is away; then nothing half-written is left.
        """
        path = evidence.path or record_path(evidence.item.school, evidence.record_id, evidence.item.first_seen_at)
        before = self._sealing.before(path, chains=evidence.chains)
        if before is not None:
            return before
        capture = self._captured(evidence)
        try:
            return self._sealing.seal(path, self._draft(evidence, capture, max(self._clock.now(), capture.ended_at)))
        except Refused:
            meanwhile = self._sealing.before(path, chains=evidence.chains)
            if meanwhile is None:
                raise
            return meanwhile

    def close(self) -> None:
        """Give the working place back; may be repeated."""
        self._sealing.close()

    def _captured(self, evidence: Evidence) -> Capture:
        return self._still(evidence, self._clock.now(), NO_BROWSER)

    def _still(self, evidence: Evidence, started: datetime, why: str, blocked: dict[str, int] | None = None) -> Capture:
        """Draw with the second renderer. Raises EvidenceFailed when that fails too: then there is no picture at all."""
        try:
            picture, cut = draw_still(evidence)
        except (OSError, ValueError, MemoryError) as error:
            message = f"no picture of the comment could be made: {type(error).__name__}"
            raise EvidenceFailed(message) from error
        return Capture(
            kind=CaptureKind.RENDERED_FROM_API,
            picture=picture,
            page=self._own_page(evidence).encode(),
            started_at=started,
            ended_at=max(started, self._clock.now()),
            browser="none: drawn with Pillow",
            user_agent="",
            viewport=VIEWPORT,
            why_not_live=why,
            blocked=blocked or {},
            cut_short=cut,
        )

    def _own_page(self, evidence: Evidence, *, block: str = "") -> str:
        return comment_page(self._templates, evidence, block=block)

    def _draft(self, evidence: Evidence, capture: Capture, sealed_at: datetime) -> Draft:
        facts = record_facts(
            evidence, capture, sealed_at=sealed_at, software=self._sealing.software, authorities=self._sealing.authorities()
        )
        answer = evidence.fetched or evidence.first_seen
        payload = {
            "screenshot.png": framed(evidence, capture),
            "page.html": capture.page,
            "api-response.json": answer.body,
            "api-headers.json": json_bytes(dict(answer.headers)),
            "decision.json": json_bytes(decision_facts(evidence)),
        }
        if capture.archive:
            payload["page.wacz"] = capture.archive
        if facts["text_changed_since_first_seen"]:
            payload["api-first-seen.json"] = evidence.first_seen.body
        school = evidence.account.school
        return Draft(
            organisation=f"{school.trust}: {school.name}",
            description="Permanent record of one social media comment; see data/VERIFY.txt",
            facts=facts,
            payload=payload,
            guide=lambda counters: guide(self._templates, facts, ledger=school.ledger, counters=counters),
            captured_at=capture.ended_at,
            sealed_at=sealed_at,
            capture_kind=capture.kind,
            blocked_requests=sum(capture.blocked.values()),
        )


class BrowserRecorder(StillRecorder):
    """Seals records photographed from the live page, or drawn in Chromium when the page does not show the comment."""

    def __init__(self, *, sealing: Sealing, browser: Browser, clock: Clock, templates: Path) -> None:
        """Take the same parts as StillRecorder, and the browser."""
        super().__init__(sealing=sealing, clock=clock, templates=templates)
        self._browser = browser

    def close(self) -> None:
        """End the browser; may be repeated."""
        self._browser.close()
        super().close()

    def _captured(self, evidence: Evidence) -> Capture:
        """Capture the live page; else the platform's embed; else draw in Chromium; else without. Each step down says why."""
        started = self._clock.now()
        wanted = Wanted.of(evidence)
        seen: Seen | None = None
        try:
            seen = self._browser.look(wanted)
            if not seen.why_not:
                live = self._live(seen, started)
                check_picture(live.picture, live.comment_at)
                return live
            why = seen.why_not
        except (Transient, EvidenceFailed) as error:
            why = str(error)
        went_wrong("live_page_not_used", record=evidence.record_id)
        if seen is not None and wanted.embed:
            embed = self._embedded(evidence, wanted, started, why, seen)
            if embed is not None:
                return embed
        try:
            return self._drawn(evidence, started, why, seen)
        except (Transient, EvidenceFailed) as error:
            blocked = dict(seen.blocked) if seen else {}
            return self._still(evidence, started, f"{why}; Chromium could not draw it either: {error}", blocked)

    def _live(self, seen: Seen, started: datetime) -> Capture:
        headers = {name.lower(): value for name, value in seen.headers.items()}
        return Capture(
            kind=CaptureKind.LIVE_PAGE,
            picture=seen.picture,
            page=showable(seen.page).encode(),
            started_at=started,
            ended_at=max(started, self._clock.now()),
            browser=seen.browser,
            user_agent=seen.agent,
            viewport=VIEWPORT,
            status=seen.status,
            request_id=headers.get("x-request-id", ""),
            page_date=headers.get("date", ""),
            blocked=dict(seen.blocked),
            parent_shown=seen.parent_shown,
            cut_short=seen.cut_short,
            comment_at=seen.comment_at,
            page_top=seen.top,
            page_height=seen.height,
            address=seen.address,
            archive=wacz(seen.exchanges, seen.address, started) if seen.exchanges else b"",
        )

    def _embedded(self, evidence: Evidence, wanted: Wanted, started: datetime, why: str, seen: Seen) -> Capture | None:
        """Return a capture of the platform's own embed of the comment, or None when it does not show it. Never called the live page."""
        why = f"{why}; taken from the platform's own embed of the comment, {wanted.embed}"
        try:
            found = self._browser.embedded(wanted)
            if found.why_not:
                return None
            if found.seen is None:
                return replace(self._drawn(evidence, started, why, seen, block=found.block), embed=wanted.embed)
            check_picture(found.seen.picture, found.seen.comment_at)
        except (Transient, EvidenceFailed):
            return None
        blocked = dict(Counter(seen.blocked) + Counter(found.seen.blocked))
        page = replace(self._live(found.seen, started), kind=CaptureKind.RENDERED_FROM_API, status=seen.status, blocked=blocked)
        return replace(page, why_not_live=why, embed=wanted.embed)

    def _drawn(self, evidence: Evidence, started: datetime, why: str, seen: Seen | None, *, block: str = "") -> Capture:
        page = self._own_page(evidence, block=block)
        drawn = self._browser.draw(page)
        check_picture(drawn.picture)
        return Capture(
            kind=CaptureKind.RENDERED_FROM_API,
            picture=drawn.picture,
            page=page.encode(),
            started_at=started,
            ended_at=max(started, self._clock.now()),
            browser=drawn.browser,
            user_agent=drawn.agent,
            viewport=VIEWPORT,
            why_not_live=why,
            status=seen.status if seen else None,
            blocked=dict(seen.blocked) if seen else {},
            cut_short=drawn.cut_short,
        )
