"""Feedback: what people decided becomes labelled examples, kept on this machine. Called by `moderator train --local`.

The file is made afresh from the database each time, so that what is disposed of there (R30) leaves it too. It is never sent anywhere, and
holds nothing that was withheld or disclosed (R15, R17).
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from moderator.domain.decision import Outcome
from moderator.domain.errors import Transient
from moderator.domain.policy import SEVERE_GUARDS
from moderator.domain.review import Verdict
from moderator.domain.reviewed import Reviewed
from moderator.domain.score import Guard, Label
from moderator.domain.times import utc_text
from moderator.learn.corpus import Example

SOURCE = "reviewed"
FILE, NOTE = "reviewed.jsonl", "READ_ME.txt"

NEVER_KEPT = SEVERE_GUARDS | {Guard.INDECENT_IMAGE}
"""A comment in which one of these was so much as suspected is no training material."""

_NOTE = """What this folder holds, and for how long

reviewed.jsonl: comments that the service hid, or would have hidden, and that a person here has since upheld or restored. They were public;
they may name people. `moderator train --local` reads them to fit the policy's thresholds to what this school's people decide.

- They stay on this machine. Nothing sends them anywhere. Leave them out of anything you pass on.
- Comments that were withheld, or in which somebody may disclose harm, are never among them.
- The file is made afresh from the database at each run: a comment stays as long as its record does, and leaves with it.
- Deleting this folder harms nothing; the next run makes it again.
"""


def usable(reviewed: Iterable[Reviewed]) -> list[Reviewed]:
    """Return what may be learnt from: what the machine would hide, without any suspicion of a disclosure, crisis, or indecent image."""
    return [
        each
        for each in reviewed
        if each.decision.outcome is Outcome.HIDE
        and each.verdict in {Verdict.UPHOLD, Verdict.RESTORE}
        and not NEVER_KEPT & {hit.guard for hit in each.score.guards}
    ]


def example(reviewed: Reviewed) -> Example:
    """Return a decision as a labelled example.

    A restored comment has none of the labels. An upheld one has those it was hidden for, and is abusive if it was hidden for any; what else
    it has is unknown. One that was upheld for a name alone says nothing about abuse.
    """
    labels: dict[Label | Guard, int] = {}
    if reviewed.verdict is Verdict.RESTORE:
        labels = dict.fromkeys(Label, 0)
    else:
        grounds = {reason.label for reason in reviewed.decision.reasons}
        labels = {label: 1 for label in Label if label.value in grounds}
        if labels:
            labels[Label.ABUSIVE] = 1
    return Example(reviewed.text, labels, SOURCE, parent=reviewed.parent)


def keep(folder: Path, reviewed: Iterable[Reviewed]) -> Path:
    """Write the usable decisions to `reviewed.jsonl` in `folder`, readable by the service's user only, swapped in whole; return its path.

    May be repeated: the file is replaced. Raises Transient when it cannot be written.
    """
    body = "".join(json.dumps(_row(each)) + "\n" for each in usable(reviewed))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        _write(folder / NOTE, _NOTE)
        return _write(folder / FILE, body)
    except OSError as error:
        message = f"{folder}: the reviewed comments cannot be written ({error.strerror})."
        raise Transient(message) from error


def _row(reviewed: Reviewed) -> dict[str, object]:
    made = example(reviewed)
    return {
        "id": reviewed.item_id,
        "text": reviewed.text,
        "parent": reviewed.parent,
        **{label.value: value for label, value in made.labels.items()},
        "source": SOURCE,
        "school": reviewed.school,
        "verdict": reviewed.verdict.value,
        "reviewed_at": utc_text(reviewed.at),
        "chances": {label.value: round(chance, 5) for label, chance in reviewed.score.labels.items()},
        "grounds": sorted({reason.label for reason in reviewed.decision.reasons}),
        "model": reviewed.score.model,
        "policy": reviewed.decision.policy,
    }


def _write(path: Path, body: str) -> Path:
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return path
