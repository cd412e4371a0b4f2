"""`record.json` of what a person handed in. Called by the intake."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from moderator.domain.record import CaptureKind
from moderator.domain.submission import ORIGIN, Submission
from moderator.domain.times import london_text, utc_text
from moderator.evidence.capture.taken import IN_WORDS
from moderator.evidence.seal.bag import FORMAT
from moderator.evidence.submission.sheet import site_of

SOURCE = "stated by the person who handed it in; not known to the service"


def submission_facts(
    submission: Submission, *, sealed_at: datetime, software: str, authorities: Sequence[Mapping[str, str]], cut_short: bool
) -> dict[str, object]:
    """Return `record.json`: flat keys, as of any record where they say the same thing.

    `captured_*` is when the service had the files, `first_seen_*` when the hand-in was first begun: the only times it knows of itself.
    `seen_*` and `posted_*` are stated ("" when not). `submitted_files` lists the files with the names they had and their hashes.
    """
    said, school = submission.statement, submission.school
    return {
        "format": FORMAT,
        "record_id": submission.record_id,
        "nonce": secrets.token_hex(16),
        "origin": ORIGIN,
        "trust": school.trust,
        "school": school.slug,
        "school_name": school.name,
        "school_urn": school.urn,
        "operator": f"the moderator service, acting on delegation {submission.delegation or '(none on file)'}",
        "delegation": submission.delegation,
        "submitted_by": said.by,
        "submitted_why": said.why,
        "place": said.place,
        "site": site_of(said.place),
        "author_name": said.author,
        "text": said.text,
        **_when("posted", said.posted_at),
        **_when("seen", said.seen_at),
        "statements_source": SOURCE,
        **_when("first_seen", submission.begun_at),
        **_when("captured", submission.received_at),
        **_when("sealed", sealed_at),
        "capture_kind": CaptureKind.SUBMITTED_BY_PERSON.value,
        "capture_kind_in_words": IN_WORDS[CaptureKind.SUBMITTED_BY_PERSON],
        "requests_blocked": 0,
        "media": [],
        "media_count": 0,
        "submitted_files": [
            {
                "name": each.name,
                "name_given": each.name_given,
                "kind": each.kind.value,
                "bytes": len(each.content),
                "sha256": each.sha256,
                "width": each.width or None,
                "height": each.height or None,
            }
            for each in submission.files
        ],
        "picture_cut_short": cut_short,
        "software": software,
        "timestamp_authorities": [dict(each) for each in authorities],
    }


def _when(name: str, moment: datetime | None) -> dict[str, object]:
    if moment is None:
        return {f"{name}_utc": "", f"{name}_london": ""}
    return {f"{name}_utc": utc_text(moment), f"{name}_london": london_text(moment)}
