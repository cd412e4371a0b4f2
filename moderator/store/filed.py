"""Where the record of a comment is in the vault, or may be. Called by the store, for the record step and for what people withhold."""

import sqlalchemy as sa

from moderator.domain.item import Item
from moderator.domain.record import Filed, record_id, record_path
from moderator.store.items import ACCOUNTS, ITEMS, RECORDS
from moderator.store.ledger import chains_of


def filed(connection: sa.Connection, item: Item) -> Filed:
    """Return what the books know of it. Two accounts of a school that see the same comment have one record, even across New Year."""
    number = record_id(item.school, item.platform, item.comment.comment_id, item.comment.version)
    known = connection.execute(sa.select(RECORDS.c.path).where(RECORDS.c.record_id == number)).scalar()
    if known is not None:
        return Filed((known,), chains_of(connection, item.school, number))
    # By account, for the index on account, comment and version.
    accounts = sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.school == item.school, ACCOUNTS.c.platform == item.platform)
    same = sa.select(ITEMS.c.first_seen_at).where(
        ITEMS.c.account_id.in_(accounts), ITEMS.c.comment_id == item.comment.comment_id, ITEMS.c.version == item.comment.version
    )
    seen = [item.first_seen_at, *sorted(connection.execute(same).scalars())]
    return Filed(tuple(dict.fromkeys(record_path(item.school, number, at) for at in seen)))
