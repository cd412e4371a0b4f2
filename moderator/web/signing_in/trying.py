"""Trying a password or a code: who may try now, and what a wrong one costs. Called by the sign-in page and the page for a fresh proof.

A wrong try never costs the person their way in: a browser they signed in with before has a counter of its own, and passkeys and
identity providers are not counted here at all.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from fastapi import Request

from moderator.domain.register import Person
from moderator.domain.times import london_date
from moderator.observe import went_wrong
from moderator.steps.drain import PER_DAY, tell_of_system
from moderator.store import proofs, register
from moderator.store.database import SqlUnit
from moderator.store.proofs import Proofs
from moderator.web.signing_in.session import known_here, write_down
from moderator.web.signing_in.step import sealer_in
from moderator.web.site import Site

FULL = timedelta(minutes=15)
"""What a person is told to wait when a window of tries is full."""
REFUSED = "refused"
STORM = 100
"""Refusals of one person in an hour of which the school is told (our choice): nobody mistypes so often."""
MANY_TRIES = "Somebody keeps trying to sign in as one of your people."
MANY_TRIES_DONE = "Nobody got in that way. Tries are slowed down; the person can still sign in from a browser they have used before."


@dataclass(frozen=True, slots=True)
class Tried:
    """How a try ended: right (`person_id`), too early (`wait`), or wrong (neither). `schools` are the ledgers that got a line."""

    person_id: int | None = None
    wait: timedelta = timedelta(0)
    schools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Whom an e-mail address is, and where the try comes from. `known` is this browser's reference, when the person used it before."""

    email: str
    address: str
    person: Person | None
    proofs: Proofs | None
    known: str


@cache
def _nobodys_hash() -> str:
    """Return a hash that no password has, so that an unknown address takes as long as a known one."""
    return proofs.hashed(proofs.new_code())


def try_password(site: Site, request: Request, *, email: str, password: str) -> Tried:
    """Try an e-mail address with a password.

    1. Whoever must wait is told so before the password is looked at; the answer is the same for an address that nobody has.
    2. The try is counted first and taken back if it was right, so that of many at once only one is looked at.
    3. The password is hashed, two at a time at most.
    """
    with site.throttle.hashing():
        with site.database.unit() as unit:
            asked = _candidate(site, unit, request, email)
            wait = _wait(site, asked)
            if (
                not wait
                and asked.proofs is not None
                and not asked.known
                and not proofs.claim_try(unit.connection, asked.proofs, site.clock.now())
            ):
                wait = timedelta(seconds=1)
        if wait:
            return _told(site, asked, wait)
        kept = asked.proofs.password_hash if asked.proofs is not None and asked.proofs.complete else ""
        right = proofs.matches(kept or _nobodys_hash(), password) and bool(kept)
        if right and asked.proofs is not None:
            return _right(site, asked, asked.proofs, password)
    _count(site, asked)
    return _told(site, asked, timedelta(0))


def _candidate(site: Site, unit: SqlUnit, request: Request, email: str) -> _Candidate:
    person = register.person_by_email(unit.connection, email)
    address = request.client.host if request.client else ""
    if person is None:
        return _Candidate(email.strip().lower(), address, None, None, "")
    known = known_here(site, unit.connection, request, person.id)
    return _Candidate(person.email, address, person, proofs.proofs_of(unit.connection, person.id), known)


def _wait(site: Site, asked: _Candidate) -> timedelta:
    now = site.clock.now()
    if asked.known:
        return FULL if site.throttle.browser_full(asked.known) else timedelta(0)
    if site.throttle.address_full(asked.address):
        return FULL
    if asked.proofs is None:
        return site.throttle.stranger_waits(asked.email, at=now)
    return proofs.wait_after(asked.proofs.failures, asked.proofs.failed_at, at=now)


def _right(site: Site, asked: _Candidate, found: Proofs, password: str) -> Tried:
    with site.database.unit() as unit:
        if not asked.known:
            proofs.take_back_try(unit.connection, found)
        if proofs.outdated(found.password_hash):
            proofs.set_password(unit.connection, found.person_id, proofs.hashed(password))
    return Tried(found.person_id)


def _count(site: Site, asked: _Candidate) -> None:
    if asked.known:
        site.throttle.wrong_in(asked.known)
        return
    site.throttle.wrong_from(asked.address)
    if asked.person is None:
        site.throttle.wrong_stranger(asked.email, at=site.clock.now())


def _told(site: Site, asked: _Candidate, wait: timedelta) -> Tried:
    went_wrong("sign_in_refused", by="password")
    schools = tell(site, asked.person.id) if asked.person is not None else ()
    return Tried(wait=wait, schools=schools)


def tell(site: Site, person_id: int) -> tuple[str, ...]:
    """Write a line in the ledger for the 1st, 10th, 100th … refusal of a person in an hour; return the schools whose ledger got it.

    From the STORM-th on the school is told as well: somebody is trying to get in.
    """
    now = site.clock.now()
    count = site.throttle.told(person_id, at=now)
    if not count:
        return ()
    with site.database.unit() as unit:
        acting = register.acting(unit.connection, person_id, london_date(now))
        if acting is None:
            return ()
        schools = tuple(write_down(unit, acting, now, subject="sign-in", reason=REFUSED, count=count))
        for school in schools if count >= STORM else ():
            tell_of_system(unit, school, what=MANY_TRIES, done=MANY_TRIES_DONE, at=now, spell=PER_DAY)
        return schools


def try_code(site: Site, unit: SqlUnit, person_id: int, typed: str) -> str:
    """Use up a code of the person's app or a recovery code; return which it was (`password`, `recovery`), or an empty text."""
    now = site.clock.now()
    if proofs.use_code(unit.connection, sealer_in(site), person_id, typed, at=now):
        return "password"
    return "recovery" if proofs.use_recovery_code(unit.connection, person_id, typed, at=now) else ""
