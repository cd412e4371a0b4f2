"""Taking what a person hands in, and sealing it as any record. Called by the submit step through ports.Intake."""

from collections.abc import Sequence
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.record import CaptureKind, SealedRecord
from moderator.domain.submission import MAX_BYTES, MAX_FILES, PICTURES, Handed, Submission, SubmittedFile, plain_name
from moderator.evidence.capture.rendering import environment
from moderator.evidence.seal.guide import guide
from moderator.evidence.seal.sealing import Draft, Sealing
from moderator.evidence.submission.facts import submission_facts
from moderator.evidence.submission.kinds import kind_of
from moderator.evidence.submission.pictures import size_of
from moderator.evidence.submission.sheet import draw_sheet
from moderator.ports import Clock

MEGABYTE = 1024 * 1024


class SealedIntake:
    """Seals what people hand in; implements ports.Intake."""

    def __init__(self, *, sealing: Sealing, clock: Clock, templates: Path) -> None:
        """Take the way into the vault, which stays its owner's to close, the clock, and the folder that holds `record/`."""
        self._sealing, self._clock = sealing, clock
        self._templates = environment(templates)

    def look_over(self, files: Sequence[Handed]) -> tuple[SubmittedFile, ...]:
        """Return the files as they will be kept: `submitted-01.png` and so on, in the order given. Writes nothing.

        Raises BadInput, naming the file, for one that cannot be taken, and for none, too many, too much or the same file twice.
        """
        if not files:
            message = "Choose at least one file to hand in."
            raise BadInput(message)
        if len(files) > MAX_FILES:
            message = f"Hand in at most {MAX_FILES} files at once."
            raise BadInput(message)
        if sum(len(each.content) for each in files) > MAX_BYTES:
            message = f"The files together are too large. Hand in at most {MAX_BYTES // MEGABYTE} MB at once."
            raise BadInput(message)
        found = tuple(_looked_over(number, each) for number, each in enumerate(files, 1))
        if len({each.sha256 for each in found}) < len(found):
            message = "The same file is there twice. Hand it in once."
            raise BadInput(message)
        return found

    def take(self, submission: Submission) -> SealedRecord:
        """Return the sealed record, on disk, fsynced, read back and compared.

        1. A bag that is there already is checked in full and returned.
        2. Draw the sheet, write the facts; the files go in as they were handed in.
        3. Seal.

        May be repeated. Raises EvidenceFailed when the stored bag is damaged, Transient when the disk is full or the vault is away.
        """
        before = self.taken(submission.path)
        if before is not None:
            return before
        return self._sealing.seal(submission.path, self._draft(submission))

    def taken(self, path: str) -> SealedRecord | None:
        """Return the record kept at `path`, checked in full, or None. Raises EvidenceFailed when it is damaged, Transient."""
        return self._sealing.before(path)

    def _draft(self, submission: Submission) -> Draft:
        sheet, cut_short = draw_sheet(submission)
        sealed_at = max(self._clock.now(), submission.received_at)
        facts = submission_facts(
            submission,
            sealed_at=sealed_at,
            software=self._sealing.software,
            authorities=self._sealing.authorities(),
            cut_short=cut_short,
        )
        school = submission.school
        return Draft(
            organisation=f"{school.trust}: {school.name}",
            description="Permanent record of screen prints that a person handed in; see data/VERIFY.txt",
            facts=facts,
            payload={"screenshot.png": sheet, **{each.name: each.content for each in submission.files}},
            guide=lambda counters: guide(self._templates, facts, ledger=school.ledger, counters=counters),
            captured_at=submission.received_at,
            sealed_at=sealed_at,
            capture_kind=CaptureKind.SUBMITTED_BY_PERSON,
        )


def _looked_over(number: int, handed: Handed) -> SubmittedFile:
    name = plain_name(handed.name)
    kind = kind_of(handed.content, name=name)
    width, height = size_of(handed.content, kind, name=name) if kind in PICTURES else (0, 0)
    return SubmittedFile(f"submitted-{number:02d}.{kind.value}", name, kind, handed.content, width, height)
