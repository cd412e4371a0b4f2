"""Stamps over new data: every authority is asked at once, within one time limit. Called by the sealing and the late stamps."""

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moderator.domain.errors import BadInput, Transient
from moderator.domain.record import Stamp
from moderator.evidence.seal.renewal import chain_name, token_name
from moderator.evidence.seal.token import SHA256, read_token
from moderator.observe import went_wrong
from moderator.ports import TimestampAuthority

LIMIT = 10.0
"""Seconds that asking may take in all (our choice); a good authority answers within one."""

_Answer = tuple[str, tuple[bytes, bytes] | None]


@dataclass(frozen=True, slots=True)
class Had:
    """The stamps that were had: their files by name, token and chain of each, and what they say."""

    files: Mapping[str, bytes]
    stamps: tuple[Stamp, ...]


def stamp_files(authorities: Sequence[TimestampAuthority], manifest: bytes, *, limit: float = LIMIT) -> Had:
    """Return the stamps over a new bag's manifest of every authority that answers within `limit` seconds; none answering gives none."""
    files: dict[str, bytes] = {}
    stamps = []
    for name, (token, chain) in sorted(ask_all(authorities, manifest, limit=limit).items()):
        try:
            said = read_token(token, chain, manifest)
        except BadInput:
            went_wrong("stamp_not_good", authority=name)
            continue
        files |= {token_name(name, 1): token, chain_name(name, 1): chain}
        stamps.append(Stamp(name, 1, said.at, said.expires_at))
    return Had(files, tuple(stamps))


def ask_all(
    authorities: Sequence[TimestampAuthority], data: bytes, *, hashed_by: str = SHA256, limit: float = LIMIT
) -> dict[str, tuple[bytes, bytes]]:
    """Return token and chain of each authority that answers within `limit` seconds, by name.

    Each is asked in a thread of its own. A thread still waiting then is left behind: it holds nothing, ends by its own time limit, and
    does not keep the process.
    """
    answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

    def ask(authority: TimestampAuthority) -> None:
        try:
            answers.put((authority.name, authority.stamp(data, hashed_by=hashed_by)))
        except Transient:
            answers.put((authority.name, None))

    for each in authorities:
        threading.Thread(target=ask, args=(each,), name=f"stamp-{each.name}", daemon=True).start()
    return _gathered(answers, {each.name for each in authorities}, time.monotonic() + limit)


def _gathered(answers: "queue.SimpleQueue[_Answer]", waiting: set[str], until: float) -> dict[str, tuple[bytes, bytes]]:
    had: dict[str, tuple[bytes, bytes]] = {}
    silent = set(waiting)
    while waiting:
        try:
            name, answer = answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        waiting.discard(name)
        if answer is not None:
            silent.discard(name)
            had[name] = answer
    for name in sorted(silent):
        went_wrong("stamp_not_had", authority=name)
    return had
