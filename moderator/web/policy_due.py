"""Whether the yearly review of the policy is overdue (R33). Called by Today, for those who can attest it, and by Health, for everybody."""

from moderator.domain.access import Action
from moderator.domain.policy_review import overdue
from moderator.domain.times import london_date
from moderator.store.policies import review_due
from moderator.web.need import Visit
from moderator.web.site import Site


def policy_overdue(site: Site, visit: Visit) -> int:
    """Return how many days the school's review is overdue; 0 when it is not."""
    with site.database.reading() as connection:
        return overdue(review_due(connection, visit.school.slug), london_date(site.clock.now()))


def to_be_attested(site: Site, visit: Visit) -> int:
    """Return the same for a person who can attest it; 0 for anybody else."""
    return policy_overdue(site, visit) if visit.may(Action.CHANGE_POLICY) else 0
