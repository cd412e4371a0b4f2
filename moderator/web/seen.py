"""What a visitor may be shown of a school's items, as a condition for the lists (R15, R21). Called by Today and the item page."""

import sqlalchemy as sa

from moderator.store.seen_by import seen_by
from moderator.web.need import Visit, safeguards
from moderator.web.site import Site


def seen(site: Site, visit: Visit) -> sa.ColumnElement[bool]:
    """Return the condition on items: none that names the visitor, disclosures only for those who see them."""
    return seen_by(references=visit.acting.on_the_roll, safeguarding=safeguards(site, visit.acting, visit.school.slug))
