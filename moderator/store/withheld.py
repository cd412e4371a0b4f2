"""What is left of a withheld comment: when, and where on the platform (R17). Called by the units that store pages and decisions."""

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa

from moderator.domain.decision import Decision
from moderator.domain.lifecycle import State
from moderator.domain.score import Reason
from moderator.store import codec
from moderator.store.tables import DecisionRow, ItemRow, PageRow

_ITEMS: sa.Table = ItemRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
_PAGES: sa.Table = PageRow.__table__  # type: ignore[attr-defined] # as above
_DECISIONS: sa.Table = DecisionRow.__table__  # type: ignore[attr-defined] # as above

BLANK: dict[str, object] = {
    "author_id": "",
    "author_handle": "",
    "author_name": "",
    "text": "",
    "media": "[]",
    "thread": "[]",
    "score": None,
    "held_at": None,
    "held_stage": None,
    "trouble": "",
}
"""What an item's row holds no longer. Its permalink, the platform's numbers and its times stay, for the police; so does `version`, a
hash that tells the same comment when it is polled again."""


def bare(decision: Decision) -> Decision:
    """Return a decision with its reasons as codes alone: their sentences can quote the comment."""
    codes = dict.fromkeys(reason.label for reason in decision.reasons)
    return replace(decision, reasons=tuple(Reason(code, 0, 0, "") for code in codes), considered=())


def withheld_among(connection: sa.Connection, account_id: int, comment_ids: Iterable[str]) -> frozenset[str]:
    """Return those of an account's comments of which a version is withheld."""
    wanted = sa.select(_ITEMS.c.comment_id).where(
        _ITEMS.c.account_id == account_id, _ITEMS.c.comment_id.in_(list(comment_ids)), _ITEMS.c.state == State.WITHHELD.value
    )
    return frozenset(connection.execute(wanted).scalars())


def forget(connection: sa.Connection, item_id: int) -> None:
    """Empty every kept answer of the platform that carries the item's comment, and earlier decisions of their words. May be repeated.

    Another comment of the same answer may still wait for its record: it is looked up anew then. Where that fails, its record holds the
    hash of what was left out, and says so: better than a copy of these words kept for good.
    """
    row = connection.execute(sa.select(_ITEMS.c.account_id, _ITEMS.c.comment_id, _ITEMS.c.page_id).where(_ITEMS.c.id == item_id)).one()
    told = json.dumps(row.comment_id).encode()
    for page in connection.execute(sa.select(_PAGES.c.id).where(_PAGES.c.account_id == row.account_id)).scalars().all():
        body = zlib.decompress(connection.execute(sa.select(_PAGES.c.body).where(_PAGES.c.id == page)).scalar_one())
        if (page == row.page_id or told in body) and not body.startswith(_LEFT_OUT):
            emptied = {"body": zlib.compress(left_out(body), 6)}
            connection.execute(sa.update(_PAGES).where(_PAGES.c.id == page).values(emptied))
    for each in connection.execute(sa.select(_DECISIONS).where(_DECISIONS.c.item_id == item_id)).all():
        text = codec.decision_text(bare(codec.decision_from(each.decision)))
        connection.execute(sa.update(_DECISIONS).where(_DECISIONS.c.id == each.id).values(decision=text))
    connection.execute(sa.update(_ITEMS).where(_ITEMS.c.id == item_id).values(page_id=None))


_LEFT_OUT = b'{"left_out":'


def left_out(body: bytes) -> bytes:
    """Return what stands in place of an answer that carried a withheld comment: why, its length, and its SHA-256."""
    facts = {
        "left_out": "This answer of the platform also carried a comment that is withheld for the police. It is not kept.",
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return json.dumps(facts, separators=(",", ":")).encode()
