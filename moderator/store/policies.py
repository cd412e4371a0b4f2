"""The versions of the policy that people here saved, and its yearly reviews (R32, R33). Called by build, the Policy page, Today, Health."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy
from moderator.domain.policy_review import FIRST_DUE
from moderator.observe import happened, went_wrong
from moderator.ports import FixedPolicy
from moderator.store.register_tables import AttestationRow, PolicyRow

if TYPE_CHECKING:
    from moderator.store.database import Database  # which reads review dates through this module

POLICIES: sa.Table = PolicyRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
ATTESTATIONS: sa.Table = AttestationRow.__table__  # type: ignore[attr-defined] # as above

REVIEWED = "policy_reviewed"
"""The kind of attestation, and the ledger's reason code."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved version: its text, who saved it (a designation's reference), when and why. `id` grows with each."""

    id: int
    version: str
    toml: str
    author: str
    at: datetime
    why: str


def newest(connection: sa.Connection) -> Saved | None:
    """Return the version saved last, or None when none ever was."""
    row = connection.execute(sa.select(POLICIES).order_by(POLICIES.c.id.desc()).limit(1)).mappings().one_or_none()
    return Saved(**row) if row else None


def saved(connection: sa.Connection, version: str) -> Saved | None:
    """Return a saved version by its name, or None."""
    row = connection.execute(sa.select(POLICIES).where(POLICIES.c.version == version)).mappings().one_or_none()
    return Saved(**row) if row else None


def versions(connection: sa.Connection, *, limit: int = 50) -> list[Saved]:
    """Return the saved versions, newest first."""
    return [Saved(**row) for row in connection.execute(sa.select(POLICIES).order_by(POLICIES.c.id.desc()).limit(limit)).mappings()]


def save(  # noqa: PLR0913 - the facts of one version
    connection: sa.Connection, *, text: str, author: str, at: datetime, why: str, instead_of: int
) -> Policy:
    """Save a version, which is in force from then on, and return it.

    `instead_of` is the id of the version it was made from, 0 for the file's. Raises BadInput when another was saved meanwhile, or the text
    is no policy.
    """
    policy = Policy.from_toml(text, where="the new policy")
    last = newest(connection)
    if (last.id if last else 0) != instead_of or saved(connection, policy.version) is not None:
        message = "Somebody saved another version meanwhile. Look at that one first, then try again."
        raise BadInput(message)
    connection.execute(sa.insert(POLICIES).values(version=policy.version, toml=text, author=author, at=at, why=why))
    return policy


def review_due(connection: sa.Connection, school: str) -> date:
    """Return when a school's next review of the policy is due: as attested last, or else as the policy itself says (R33)."""
    wanted = sa.select(ATTESTATIONS.c.on_date).where(ATTESTATIONS.c.kind == REVIEWED, ATTESTATIONS.c.school == school)
    found: date | None = connection.execute(wanted.order_by(ATTESTATIONS.c.id.desc()).limit(1)).scalar()
    return found or FIRST_DUE


def attest_review(connection: sa.Connection, school: str, *, next_due: date, by: str, at: datetime) -> None:
    """Write down that the policy was reviewed, and when the next review is due."""
    values = {"account_id": None, "school": school, "kind": REVIEWED, "on_date": next_due, "by": by, "at": at}
    connection.execute(sa.insert(ATTESTATIONS).values(values))


class StoredPolicies:
    """The newest saved version, or the file's while none was saved; implements ports.PolicySource."""

    def __init__(self, database: "Database", otherwise: FixedPolicy) -> None:
        """Keep the database and the file's policy; nothing is read yet."""
        self._database = database
        self._now, self._given = otherwise, otherwise.current()
        self._id = 0
        self.trouble = ""

    def current(self) -> Policy:
        """Return the policy in force: one look-up of a number unless a new version was saved. Raises Transient."""
        return self._in_force().current()

    def given(self) -> Policy:
        """Return the file's."""
        return self._given

    def text(self) -> str:
        """Return the text of the policy in force. Raises Transient."""
        return self._in_force().text()

    def _in_force(self) -> FixedPolicy:
        with self._database.reading() as connection:
            last = connection.execute(sa.select(sa.func.max(POLICIES.c.id))).scalar()
            found = newest(connection) if last != self._id else None
        if found is not None:
            self._id = found.id
            self._take(found)
        return self._now

    def _take(self, found: Saved) -> None:
        """Put a version in force; one that cannot be read leaves the one before, and is told by the sweep."""
        try:
            self._now, self.trouble = FixedPolicy(found.toml, where=f"policy {found.version}"), ""
            happened("policy_taken", policy=found.version)
        except BadInput as error:
            self.trouble = f"Policy {found.version} cannot be read; the one before stays in force. {error}"
            went_wrong("policy_unreadable", policy=found.version)
