"""Capture and seal: one call, one bag in the vault (RECORD.md). Called by the record step through ports.Recorder."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.record import CaptureKind, Evidence, SealedRecord
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.panel import check_picture, framed
from moderator.evidence.capture.rendering import comment_page, environment
from moderator.evidence.capture.shown import Seen
from moderator.evidence.capture.still import draw_still
from moderator.evidence.capture.taken import IN_WORDS, VIEWPORT, Capture, Wanted
from moderator.evidence.seal.bag import Bag, pack, sha256
from moderator.evidence.seal.canonical import json_bytes, showable
from moderator.evidence.seal.existing import read_back, sealed_before
from moderator.evidence.seal.facts import decision_facts, record_facts
from moderator.evidence.seal.stamp import Signer, stamp_files
from moderator.evidence.vault.durable import write_all_durably
from moderator.evidence.vault.folder import FolderVault
from moderator.evidence.vault.staging import Staging
from moderator.observe import happened, went_wrong
from moderator.ports import Clock, TimestampAuthority

_ON_GUIDE = (
    "record_id", "school", "school_name", "place", "capture_kind", "posted_utc", "posted_london", "captured_utc", "captured_london",
)  # fmt: skip
"""Facts filled into VERIFY.txt, each on one line: a platform's text must not be able to add a command to it."""
NO_BROWSER = "the service was set up to draw without a browser"


class StillRecorder:
    """Seals records drawn from the platform's data, without a browser; implements ports.Recorder."""

    def __init__(  # noqa: PLR0913 - the composition root names each part once
        self,
        *,
        vault: FolderVault,
        signer: Signer,
        authorities: Sequence[TimestampAuthority],
        clock: Clock,
        templates: Path,
        software: str,
        retired_keys: Sequence[str] = (),
    ) -> None:
        """Take the parts; `retired_keys` are public keys (as in the ledger) under which an unfinished item may have been sealed before.

        Raises Transient when the vault is away.
        """
        self._vault, self._signer, self._authorities, self._clock = vault, signer, tuple(authorities), clock
        self._keys = frozenset({signer.public_key, *retired_keys})
        self._software = software
        self._templates = environment(templates)
        try:
            self._staging = Staging(vault.root)
        except OSError as error:
            message = f"the vault {vault.root} cannot be written: {error.strerror}"
            raise Transient(message) from error

    def seal(self, evidence: Evidence) -> SealedRecord:
        """Return the sealed record, on disk, fsynced, read back and compared.

        1. A bag that is there already is checked in full and returned.
        2. Capture; write picture, page, platform bytes, facts; sign; ask the authorities for a stamp.
        3. Flush every file and folder, rename into the vault, read back and compare every hash.

        May be repeated. Raises EvidenceFailed when no picture could be made or the stored bag is damaged, Transient when the disk is full
        or the vault is away; then nothing half-written is left.
        """
        path = self._path(evidence)
        before = sealed_before(self._vault, path, keys=self._keys, authorities=bool(self._authorities))
        if before is not None:
            return before
        capture = self._captured(evidence)
        sealed_at = max(self._clock.now(), capture.ended_at)
        bag = self._bag(evidence, capture, sealed_at)
        stamps = stamp_files(self._authorities, bag.manifest)
        self._keep(path, {**bag.files, **stamps})
        happened("record_sealed", record=evidence.record_id, kind=capture.kind.value, stamped=bool(stamps))
        return SealedRecord(
            record_id=evidence.record_id,
            path=path,
            manifest_sha256=bag.manifest_sha256,
            captured_at=capture.ended_at,
            sealed_at=sealed_at,
            capture_kind=capture.kind,
            stamp_pending=bool(self._authorities) and not stamps,
            blocked_requests=sum(capture.blocked.values()),
        )

    def close(self) -> None:
        """Give the staging place back; may be repeated."""
        self._staging.close()

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

    def _own_page(self, evidence: Evidence) -> str:
        return comment_page(self._templates, evidence)

    def _path(self, evidence: Evidence) -> str:
        return f"{evidence.item.school}/{evidence.item.first_seen_at.astimezone(UTC):%Y}/{evidence.record_id}"

    def _bag(self, evidence: Evidence, capture: Capture, sealed_at: datetime) -> Bag:
        chains = {each.name: sha256(chain) for each in self._authorities if isinstance(chain := getattr(each, "chain_pem", None), bytes)}
        facts = record_facts(evidence, capture, sealed_at=sealed_at, software=self._software, authorities=chains)
        answer = evidence.fetched or evidence.first_seen
        payload = {
            "screenshot.png": framed(evidence, capture),
            "page.html": capture.page,
            "api-response.json": answer.body,
            "api-headers.json": json_bytes(dict(answer.headers)),
            "record.json": json_bytes(facts),
            "decision.json": json_bytes(decision_facts(evidence)),
            "VERIFY.txt": self._guide(evidence, capture, facts),
        }
        if facts["text_changed_since_first_seen"]:
            payload["api-first-seen.json"] = evidence.first_seen.body
        return pack(evidence, payload, sealed_at=sealed_at, software=self._software, signer=self._signer)

    def _guide(self, evidence: Evidence, capture: Capture, facts: dict[str, object]) -> bytes:
        text = self._templates.get_template("VERIFY.txt.j2").render(
            **{key: " ".join(str(facts[key]).split()) for key in _ON_GUIDE},
            capture_kind_in_words=IN_WORDS[capture.kind],
            ledger=evidence.account.school.ledger,
            changed=bool(facts["text_changed_since_first_seen"]),
        )
        return showable(text).encode()

    def _keep(self, path: str, files: dict[str, bytes]) -> None:
        try:
            with self._staging.folder() as folder:
                write_all_durably(folder, files)
                self._vault.put(folder, path)
            read_back(self._vault, path, files)
        except OSError as error:
            went_wrong("record_not_written", reason=error.strerror or type(error).__name__)
            message = f"the record could not be written: {error.strerror or type(error).__name__}"
            raise Transient(message) from error


class BrowserRecorder(StillRecorder):
    """Seals records photographed from the live page, or drawn in Chromium when the page does not show the comment."""

    def __init__(  # noqa: PLR0913 - the composition root names each part once
        self,
        *,
        vault: FolderVault,
        browser: Browser,
        signer: Signer,
        authorities: Sequence[TimestampAuthority],
        clock: Clock,
        templates: Path,
        software: str,
        retired_keys: Sequence[str] = (),
    ) -> None:
        """Take the same parts as StillRecorder, and the browser."""
        super().__init__(
            vault=vault,
            signer=signer,
            authorities=authorities,
            clock=clock,
            templates=templates,
            software=software,
            retired_keys=retired_keys,
        )
        self._browser = browser

    def close(self) -> None:
        """End the browser; may be repeated."""
        self._browser.close()
        super().close()

    def _captured(self, evidence: Evidence) -> Capture:
        """Capture the live page; else draw in Chromium; else draw without it. Each step down says why in the record."""
        started = self._clock.now()
        seen: Seen | None = None
        try:
            seen = self._browser.look(Wanted.of(evidence))
            if not seen.why_not:
                live = self._live(seen, started)
                check_picture(live.picture)
                return live
            why = seen.why_not
        except (Transient, EvidenceFailed) as error:
            why = str(error)
        went_wrong("live_page_not_used", record=evidence.record_id)
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
        )

    def _drawn(self, evidence: Evidence, started: datetime, why: str, seen: Seen | None) -> Capture:
        page = self._own_page(evidence)
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
