"""For whom a list is made: who they are on the roll (R21), and whether they see disclosures there (R15). Called by the lists' pages."""

from moderator.domain.checks import CheckKind, at_fault
from moderator.store.finding import Reader
from moderator.web.need import Visit, safeguards
from moderator.web.site import Site


def reader_of(site: Site, visit: Visit) -> Reader:
    """Return the reader of a visit, with the records that the service's own last checks found at fault."""
    slug = visit.school.slug
    runs = (site.database.last_check(slug, kind) for kind in CheckKind)
    return Reader(visit.acting.on_the_roll, safeguards(site, visit.acting, slug), at_fault(*runs))
