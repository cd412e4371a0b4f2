"""Sessions: started after every way of signing in, found on every request, renewed after a proof. Called by the gate and sign-in pages."""

import secrets
from contextlib import suppress
from datetime import datetime, timedelta

import sqlalchemy as sa
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from moderator.domain.errors import NotAllowed, Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.register import Acting
from moderator.domain.times import london_date
from moderator.observe import happened, went_wrong
from moderator.store import people, register
from moderator.store.database import SqlUnit
from moderator.store.sign_in import Purpose, SignIn, add, digest_of, find, forget_ended, seen, use
from moderator.web.cookie import KNOWN, read_cookie, set_cookie
from moderator.web.noted import synced
from moderator.web.site import Site

SESSION_LIVES = timedelta(hours=12)
"""Our choice: a session of the morning ends by the evening (NIST SP 800-63B, section 4.2.3, asks for 12 hours at most)."""
IDLE = timedelta(minutes=60)
"""A session that nobody used for this long is over (our choice; NIST SP 800-63B, section 4.2.3, asks for 30 minutes to an hour)."""
KNOWN_LIVES = timedelta(days=365)
"""How long a browser stays known to a person."""
_NOTED_EACH = timedelta(minutes=1)
"""A session's use is written down at most this often."""

LINK = "link"
"""The way in by a link from the console: it does not make the browser known."""


def start_session(  # noqa: PLR0913 - the facts of one sign-in
    site: Site, unit: SqlUnit, request: Request, person_id: int, reason: str, *, proved: bool = True, to: str = "/"
) -> RedirectResponse:
    """Start a session for a person who has just shown who they are, and return the way on to `to` (a path of our own) with its cookie.

    1. End the session this browser had.
    2. Start a new one with a new secret; `proved` says that the person proved who they are just now.
    3. Write one line in the ledger of each school they act at: `reason` is password, recovery, passkey, oidc or link.
    4. Make the browser known to the person, so that nobody's wrong passwords elsewhere keep them out here.

    The ledgers' files are brought up to date after the answer is sent, when the caller's transaction is over.
    Raises NotAllowed when no designation of the person is live today (R3): then nobody is signed in.
    """
    now = site.clock.now()
    acting = register.acting(unit.connection, person_id, london_date(now))
    if acting is None:
        message = "no designation is live today"
        raise NotAllowed(message)
    forget_ended(unit.connection, at=now)
    use(unit.connection, read_cookie(request, site.origin), purpose=Purpose.SESSION, at=now)
    secret = secrets.token_urlsafe(32)
    started = add(
        unit.connection,
        secret,
        purpose=Purpose.SESSION,
        actor=acting.designations[0].reference,
        expires_at=now + SESSION_LIVES,
        person_id=person_id,
        agent_sha256=agent_of(request),
        seen_at=now,
        proved_at=now if proved else None,
    )
    schools = write_down(unit, acting, now, subject=started.reference, reason=reason)
    happened("signed_in", actor=started.actor, session=started.reference, by=reason)
    response = RedirectResponse(to, status_code=303, background=BackgroundTask(synced, site, *schools))
    set_cookie(response, secret, origin=site.origin, now=now, until=started.expires_at)
    if reason != LINK:
        _make_known(site, unit, request, response, person_id)
    return response


def write_down(  # noqa: PLR0913 - the facts of one line
    unit: SqlUnit, acting: Acting, at: datetime, *, subject: str, reason: str, count: int = 0
) -> list[str]:
    """Append one SIGNED_IN line to the ledger of each school the person acts at, in this transaction; return the schools' slugs.

    `subject` is the session's reference; `count`, where it is not 0, how many tries the line stands for.
    """
    theirs = acting.acts_at(each.slug for each in people.schools(unit.connection))
    facts: dict[str, str | int | bool] = {"count": count} if count else {}
    for slug, actor in theirs:
        unit.append(slug, LedgerEvent(Event.SIGNED_IN, at, subject, actor=actor, reason=reason, facts=facts))
    return [slug for slug, _ in theirs]


def session_in(site: Site, request: Request) -> SignIn | None:
    """Return the live session of a request; None for a stranger. The gate asks on every request.

    A session that turns up in another browser, or was not used for IDLE, is ended for good. May be repeated.
    """
    secret, now = read_cookie(request, site.origin), site.clock.now()
    if not secret:
        return None
    with site.database.reading() as connection:
        session = find(connection, secret, purpose=Purpose.SESSION, at=now)
    if session is None:
        return None
    if session.agent_sha256 != agent_of(request):
        _end(site, secret, session, "session_in_another_browser")
        return None
    last = session.seen_at or now
    if now - last > IDLE:
        _end(site, secret, session, "session_idle")
        return None
    if now - last >= _NOTED_EACH:
        with suppress(Transient), site.database.unit() as unit:  # a full disk keeps nobody from reading
            seen(unit.connection, secret, at=now)
    return session


def _end(site: Site, secret: str, session: SignIn, event: str) -> None:
    with site.database.unit() as unit:
        use(unit.connection, secret, purpose=Purpose.SESSION, at=site.clock.now())
    went_wrong(event, actor=session.actor, session=session.reference)


def renew_session(site: Site, unit: SqlUnit, request: Request, response: Response, session: SignIn) -> None:
    """Give a session a new secret after its person proved who they are again; it ends when it would have ended."""
    now = site.clock.now()
    use(unit.connection, read_cookie(request, site.origin), purpose=Purpose.SESSION, at=now)
    secret = secrets.token_urlsafe(32)
    add(
        unit.connection,
        secret,
        purpose=Purpose.SESSION,
        actor=session.actor,
        expires_at=session.expires_at,
        person_id=session.person_id,
        agent_sha256=agent_of(request),
        seen_at=now,
        proved_at=now,
    )
    happened("proved_again", actor=session.actor, session=session.reference)
    set_cookie(response, secret, origin=site.origin, now=now, until=session.expires_at)


def agent_of(request: Request) -> str:
    """Return the SHA-256 of what the browser calls itself."""
    return digest_of(request.headers.get("user-agent", ""))


def known_here(site: Site, connection: sa.Connection, request: Request, person_id: int) -> str:
    """Return the reference of this browser when the person signed in with it before; else an empty text."""
    found = find(connection, read_cookie(request, site.origin, kind=KNOWN), purpose=Purpose.KNOWN, at=site.clock.now())
    return found.reference if found is not None and found.person_id == person_id else ""


def _make_known(site: Site, unit: SqlUnit, request: Request, response: Response, person_id: int) -> None:
    if known_here(site, unit.connection, request, person_id):
        return
    now, secret = site.clock.now(), secrets.token_urlsafe(32)
    until = now + KNOWN_LIVES
    add(unit.connection, secret, purpose=Purpose.KNOWN, expires_at=until, person_id=person_id)
    set_cookie(response, secret, origin=site.origin, now=now, until=until, kind=KNOWN)
