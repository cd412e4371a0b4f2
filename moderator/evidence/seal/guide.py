"""VERIFY.txt: how a stranger checks this record, with its own names filled in. Called by the recorders."""

from collections.abc import Mapping

from jinja2 import Environment

from moderator.domain.record import CaptureKind
from moderator.evidence.capture.taken import IN_WORDS
from moderator.evidence.seal.canonical import showable
from moderator.evidence.vault.names import ENCRYPTED_END

_ALWAYS = ("record_id", "school", "school_name", "capture_kind", "origin", "captured_utc", "captured_london")
_IN_CLEAR = ("place", "posted_utc", "posted_london")
"""Facts about a person's post: never on the guide of an encrypted record, which must hold nothing to dispose of."""


def guide(templates: Environment, facts: Mapping[str, object], *, ledger: str, counters: Mapping[str, str] | None = None) -> bytes:
    """Return VERIFY.txt in UTF-8. `facts` is record.json; `counters` the initial counter of each encrypted file, None in clear.

    Each fact is put on one line: a platform's text must not be able to add a command to it.
    """
    shown = _ALWAYS if counters is not None else _ALWAYS + _IN_CLEAR
    text = templates.get_template("VERIFY.txt.j2").render(
        **{key: " ".join(str(facts.get(key, "")).split()) for key in shown},
        capture_kind_in_words=IN_WORDS[CaptureKind(str(facts["capture_kind"]))],
        ledger=ledger,
        changed=bool(facts.get("text_changed_since_first_seen")),
        encrypted=counters is not None,
        files=[(f"{name}{ENCRYPTED_END}", name, counter) for name, counter in sorted((counters or {}).items())],
        sha512=True,
    )
    return showable(text).encode()
