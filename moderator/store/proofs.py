"""What a person shows to sign in: password, code of an app, recovery codes; and how often it went wrong. Called by the sign-in pages."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from moderator.domain.password import normal
from moderator.store.register import PEOPLE
from moderator.store.register_tables import PasskeyRow, RecoveryCodeRow
from moderator.store.sealed import Sealer
from moderator.store.sign_in import digest_of

RECOVERY_CODES: sa.Table = RecoveryCodeRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
_PASSKEYS: sa.Table = PasskeyRow.__table__  # type: ignore[attr-defined] # as above

A_SHEET = 10
"""Recovery codes made at once (our choice)."""
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"
"""Crockford's base 32 (crockford.com/base32.html): no I, L, O or U, so that a code survives being read out and typed."""
_LONG = 16
"""Letters of a code we make: 80 bits, which nobody guesses, so that a plain hash keeps it safe."""

STEP_SECONDS = 30
"""RFC 6238, section 4.1."""
_STEPS_OFF = (0, -1, 1)
"""A clock may be one step wrong either way (RFC 6238, section 5.2)."""
_APP_DIGITS = 6

_FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=15)
"""Our choices: the wait after a wrong try doubles from the first to the longest, which allows fewer than a hundred tries a day."""

HASHER = PasswordHasher()
"""argon2id with the library's defaults, the low-memory choice of RFC 9106, section 4: 64 MiB, three passes, four lanes."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a person can sign in with, and how often a stranger got it wrong lately."""

    person_id: int
    password_hash: str
    has_app: bool
    codes_left: int
    failures: int
    failed_at: datetime | None

    @property
    def complete(self) -> bool:
        """Return whether password and app are both set up: one alone signs nobody in."""
        return bool(self.password_hash) and self.has_app


def proofs_of(connection: sa.Connection, person_id: int) -> Proofs:
    """Return what a person has. Raises NoResultFound when there is no such person."""
    columns = ("id", "password_hash", "totp_sealed", "failures", "failed_at")
    row = connection.execute(sa.select(*(PEOPLE.c[name] for name in columns)).where(PEOPLE.c.id == person_id)).one()
    left = sa.select(sa.func.count()).where(RECOVERY_CODES.c.person_id == person_id, RECOVERY_CODES.c.used_at.is_(None))
    return Proofs(
        row.id, row.password_hash, row.totp_sealed is not None, connection.execute(left).scalar_one(), row.failures, row.failed_at
    )


def has_any(connection: sa.Connection, person_id: int) -> bool:
    """Return whether the person can sign in on their own: password and app, a passkey, or an identity provider."""
    passkey = sa.select(_PASSKEYS.c.credential_id).where(_PASSKEYS.c.person_id == person_id).limit(1)
    bound = sa.select(PEOPLE.c.oidc_subject).where(PEOPLE.c.id == person_id)
    return (
        proofs_of(connection, person_id).complete
        or connection.execute(passkey).first() is not None
        or bool(connection.execute(bound).scalar_one())
    )


def hashed(password: str) -> str:
    """Return the argon2id hash of a password. Takes 64 MiB and tens of milliseconds."""
    return HASHER.hash(normal(password))


def matches(password_hash: str, password: str) -> bool:
    """Return whether the password is the one that was hashed. A hash that is none matches nothing."""
    try:
        return HASHER.verify(password_hash, normal(password))
    except (VerificationError, InvalidHashError):
        return False


def set_password(connection: sa.Connection, person_id: int, password_hash: str) -> None:
    """Store a new password's hash."""
    connection.execute(sa.update(PEOPLE).where(PEOPLE.c.id == person_id).values(password_hash=password_hash))


def outdated(password_hash: str) -> bool:
    """Return whether a hash was made with other parameters than today's: then it is made anew while the password is at hand."""
    return HASHER.check_needs_rehash(password_hash)


def code_of_app(secret: str, code: str, *, at: datetime) -> int | None:
    """Return the 30-second step whose code this is, at most one step off; None for a wrong code. `secret` is base 32."""
    typed = "".join(code.split())
    if len(typed) != _APP_DIGITS or not typed.isascii() or not typed.isdigit():
        return None
    app, step = pyotp.TOTP(secret, interval=STEP_SECONDS), int(at.timestamp()) // STEP_SECONDS
    return next((step + off for off in _STEPS_OFF if hmac.compare_digest(app.generate_otp(step + off), typed)), None)


def set_app(connection: sa.Connection, sealer: Sealer, person_id: int, secret: str, *, step: int) -> None:
    """Store an app's secret, sealed. `step` is that of the code that proved it: it is not good again."""
    sealed = sealer.seal(secret)
    connection.execute(sa.update(PEOPLE).where(PEOPLE.c.id == person_id).values(totp_sealed=sealed, totp_step=step))


def use_code(connection: sa.Connection, sealer: Sealer, person_id: int, code: str, *, at: datetime) -> bool:
    """Return whether this is a code of the person's app that was not used before, and use it up. Of two at once, one counts.

    A code older than the last one used is refused with it (RFC 6238, section 5.2: one use only). Raises BadInput when no key opens the
    app's secret.
    """
    sealed = connection.execute(sa.select(PEOPLE.c.totp_sealed).where(PEOPLE.c.id == person_id)).scalar_one()
    step = None if sealed is None else code_of_app(sealer.open(sealed), code, at=at)
    if step is None:
        return False
    newer = sa.update(PEOPLE).where(PEOPLE.c.id == person_id, PEOPLE.c.totp_step < step)
    return connection.execute(newer.values(totp_step=step)).rowcount == 1


def new_code() -> str:
    """Return a random code of 80 bits that a person can type: four groups of four letters and digits."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LONG))
    return "-".join(letters[at : at + 4] for at in range(0, _LONG, 4))


def read_code(typed: str) -> str:
    """Return a typed code as we made it: capitals, without what was typed between, I and L read as 1, O as 0."""
    plain = typed.upper().translate(str.maketrans("ILO", "110"))
    letters = "".join(letter for letter in plain if letter in _LETTERS)
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def new_recovery_codes(connection: sa.Connection, person_id: int, *, at: datetime) -> tuple[str, ...]:
    """Make a new sheet of recovery codes, which ends the old one, and return it: only hashes are kept, so nobody sees it again."""
    codes = tuple(new_code() for _ in range(A_SHEET))
    connection.execute(sa.delete(RECOVERY_CODES).where(RECOVERY_CODES.c.person_id == person_id))
    rows = [{"code_sha256": digest_of(code), "person_id": person_id, "made_at": at, "used_at": None} for code in codes]
    connection.execute(sa.insert(RECOVERY_CODES), rows)
    return codes


def use_recovery_code(connection: sa.Connection, person_id: int, typed: str, *, at: datetime) -> bool:
    """Return whether this is an unused recovery code of the person, and use it up. Of two at once, one counts."""
    good = sa.update(RECOVERY_CODES).where(
        RECOVERY_CODES.c.code_sha256 == digest_of(read_code(typed)),
        RECOVERY_CODES.c.person_id == person_id,
        RECOVERY_CODES.c.used_at.is_(None),
    )
    return connection.execute(good.values(used_at=at)).rowcount == 1


def forget_proofs(connection: sa.Connection, person_id: int) -> None:
    """Forget password, app, recovery codes and passkeys of a person who has lost them. Their identity provider stays: it is elsewhere."""
    empty = {"password_hash": "", "totp_sealed": None, "failures": 0, "failed_at": None}
    connection.execute(sa.update(PEOPLE).where(PEOPLE.c.id == person_id).values(empty))
    for table in (RECOVERY_CODES, _PASSKEYS):
        connection.execute(sa.delete(table).where(table.c.person_id == person_id))


def claim_try(connection: sa.Connection, proofs: Proofs, at: datetime) -> bool:
    """Count a try as wrong before it is looked at; False when another one came between, which then is the only one that counts."""
    same = sa.update(PEOPLE).where(PEOPLE.c.id == proofs.person_id, PEOPLE.c.failures == proofs.failures)
    return connection.execute(same.values(failures=proofs.failures + 1, failed_at=at)).rowcount == 1


def take_back_try(connection: sa.Connection, proofs: Proofs) -> None:
    """Take a try back that was right, unless another one came between. `proofs` are as they were before the try."""
    same = sa.update(PEOPLE).where(PEOPLE.c.id == proofs.person_id, PEOPLE.c.failures == proofs.failures + 1)
    connection.execute(same.values(failures=proofs.failures, failed_at=proofs.failed_at))


def went_wrong_at(connection: sa.Connection, person_id: int, *, at: datetime) -> None:
    """Count one wrong code in a browser the person never signed in with."""
    connection.execute(sa.update(PEOPLE).where(PEOPLE.c.id == person_id).values(failures=PEOPLE.c.failures + 1, failed_at=at))


def went_well(connection: sa.Connection, person_id: int) -> None:
    """Forget the wrong tries. May be repeated."""
    connection.execute(sa.update(PEOPLE).where(PEOPLE.c.id == person_id).values(failures=0, failed_at=None))


def wait_after(failures: int, failed_at: datetime | None, *, at: datetime) -> timedelta:
    """Return how long to wait before the next try counts: 1 second after the first, doubling to LONGEST_WAIT; nothing once it is over."""
    if failures <= 0 or failed_at is None:
        return timedelta(0)
    wait: timedelta = min(_FIRST_WAIT * (1 << min(failures - 1, 10)), LONGEST_WAIT)
    return max(failed_at + wait - at, timedelta(0))
