"""Which items a person may be shown: none that names them (R21), disclosures for safeguarding alone (R15). Used by every list of items."""

import sqlalchemy as sa

from moderator.store.items import ITEM_PEOPLE, ITEMS


def seen_by(*, references: frozenset[str], safeguarding: bool) -> sa.ColumnElement[bool]:
    """Return the condition on ITEMS for what a person may be shown, to put in a WHERE beside the school.

    `references` are what the roll calls the person (empty: they are not on it); `safeguarding` is whether they may see disclosures at
    that school. The default of a caller that knows nothing is the strict one: no disclosure.
    """
    parts: list[sa.ColumnElement[bool]] = []
    if not safeguarding:
        parts.append(~ITEMS.c.safeguarding)
    if references:
        named = sa.select(ITEM_PEOPLE.c.item_id).where(ITEM_PEOPLE.c.item_id == ITEMS.c.id, ITEM_PEOPLE.c.reference.in_(sorted(references)))
        parts.append(~named.exists())
    return sa.and_(sa.true(), *parts)
