"""What is signed for a school: delegations (R8), routes (R21), house rules (R16). Versions stay; the newest counts (R32)."""

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from moderator.domain.access import ROLE_WORDS, Role
from moderator.domain.errors import BadInput
from moderator.domain.routes import RouteKind, may_be_told
from moderator.domain.signed import Delegation, HouseRules
from moderator.store.register_tables import DelegationRow, HouseRulesRow, RouteRow

DELEGATIONS: sa.Table = DelegationRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
ROUTES: sa.Table = RouteRow.__table__  # type: ignore[attr-defined] # as above
HOUSE_RULES: sa.Table = HouseRulesRow.__table__  # type: ignore[attr-defined] # as above

LONGEST_RULES = 8000
"""Letters of the house rules at most (our choice): a page people read, not a policy."""


def _delegation(row: Any) -> Delegation:  # noqa: ANN401 - a row of DELEGATIONS
    return Delegation(**dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for it


def delegate(  # noqa: PLR0913 - the facts of one delegation
    connection: sa.Connection, *, school: str, words: str, signed_by: str, signed_on: date, ends_on: date
) -> Delegation:
    """Store a signed delegation with a new reference (`DELEGATION-oakfield-2`); the newest counts. Raises BadInput when it is over."""
    if ends_on < signed_on:
        message = f"the delegation ends on {ends_on}, before it is signed"
        raise BadInput(message)
    if not words.strip():
        message = "write what is delegated to the service"
        raise BadInput(message)
    earlier = connection.execute(sa.select(sa.func.count()).select_from(DELEGATIONS).where(DELEGATIONS.c.school == school)).scalar_one()
    values = {
        "school": school,
        "reference": f"DELEGATION-{school}-{earlier + 1}",
        "words": words.strip(),
        "signed_by": signed_by,
        "signed_on": signed_on,
        "ends_on": ends_on,
    }
    return _delegation(connection.execute(sa.insert(DELEGATIONS).values(values).returning(*DELEGATIONS.c)).one())


def withdraw_delegation(connection: sa.Connection, delegation_id: int, *, school: str, by: str, at: datetime) -> Delegation:
    """Withdraw a school's delegation. Raises BadInput when it has none of that number that stands."""
    live = sa.update(DELEGATIONS).where(
        DELEGATIONS.c.id == delegation_id, DELEGATIONS.c.school == school, DELEGATIONS.c.withdrawn_at.is_(None)
    )
    row = connection.execute(live.values(withdrawn_at=at, withdrawn_by=by).returning(*DELEGATIONS.c)).one_or_none()
    if row is None:
        message = "this delegation does not stand any more"
        raise BadInput(message)
    return _delegation(row)


def delegations(connection: sa.Connection, school: str) -> list[Delegation]:
    """Return every delegation of a school, the newest first."""
    wanted = sa.select(DELEGATIONS).where(DELEGATIONS.c.school == school).order_by(DELEGATIONS.c.id.desc())
    return [_delegation(row) for row in connection.execute(wanted)]


def delegation_on(connection: sa.Connection, school: str, day: date) -> Delegation | None:
    """Return the newest delegation that holds on a London day; None when there is none."""
    return next((each for each in delegations(connection, school) if each.live_on(day)), None)


def change_route(  # noqa: PLR0913 - the facts of one version
    connection: sa.Connection, *, school: str, kind: RouteKind, roles: Collection[Role], author: str, why: str, at: datetime
) -> None:
    """Store a new version of a route. Raises BadInput without a role, with one that could not open what it is told of, or without why."""
    if not roles:
        message = "choose at least one role: somebody must be told"
        raise BadInput(message)
    unfit = [ROLE_WORDS[role] for role in roles if role not in may_be_told(kind)]
    if unfit:
        message = f"{', '.join(unfit)}: cannot open what this route tells of"
        raise BadInput(message)
    if not why.strip():
        message = "say why the route changes"
        raise BadInput(message)
    listed = json.dumps([role.value for role in Role if role in set(roles)])
    connection.execute(sa.insert(ROUTES).values(school=school, kind=kind.value, roles=listed, author=author, at=at, why=why.strip()))


def routes(connection: sa.Connection, school: str) -> Mapping[RouteKind, tuple[Role, ...]]:
    """Return the routes a school has signed; what is missing is our assumption (`domain.routes.DEFAULTS`)."""
    wanted = sa.select(ROUTES.c.kind, ROUTES.c.roles).where(ROUTES.c.school == school).order_by(ROUTES.c.id)
    return {RouteKind(row.kind): tuple(Role(each) for each in json.loads(row.roles)) for row in connection.execute(wanted)}


def route_versions(connection: sa.Connection, school: str, *, limit: int) -> list[tuple[datetime, RouteKind, tuple[Role, ...], str, str]]:
    """Return a school's newest changes of routes, the newest first: when, which, the roles, by whom, why."""
    wanted = sa.select(ROUTES).where(ROUTES.c.school == school).order_by(ROUTES.c.id.desc()).limit(limit)
    return [
        (row.at, RouteKind(row.kind), tuple(Role(each) for each in json.loads(row.roles)), row.author, row.why)
        for row in connection.execute(wanted)
    ]


def publish_rules(  # noqa: PLR0913 - the facts of one version
    connection: sa.Connection, *, school: str, words: str, ask: str, author: str, why: str, at: datetime
) -> HouseRules:
    """Store and so publish a version of the house rules. Raises BadInput when a part is empty or the words are too long."""
    words, ask, why = words.strip().replace("\r\n", "\n"), ask.strip(), why.strip()
    if not words or not ask or not why:
        message = "write the rules, where the author of a hidden comment can ask for another look, and why the rules change"
        raise BadInput(message)
    if len(words) > LONGEST_RULES:
        message = f"the rules have {len(words):,} letters; {LONGEST_RULES:,} is the most"
        raise BadInput(message)
    values = {"school": school, "words": words, "link": ask, "author": author, "at": at, "why": why}
    return _rules(connection.execute(sa.insert(HOUSE_RULES).values(values).returning(*HOUSE_RULES.c)).one())


def house_rules(connection: sa.Connection, school: str, *, limit: int = 1) -> list[HouseRules]:
    """Return the newest versions of a school's house rules, the one that counts first; empty when nothing is published."""
    wanted = sa.select(HOUSE_RULES).where(HOUSE_RULES.c.school == school).order_by(HOUSE_RULES.c.id.desc()).limit(limit)
    return [_rules(row) for row in connection.execute(wanted)]


def _rules(row: Any) -> HouseRules:  # noqa: ANN401 - a row of HOUSE_RULES
    return HouseRules(row.id, row.school, row.words, row.link, row.author, row.at, row.why)
