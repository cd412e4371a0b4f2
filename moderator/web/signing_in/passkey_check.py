"""What a passkey is asked and whether its answer holds (WebAuthn Level 3), by py_webauthn. Called by the passkey pages."""

import ipaddress
import json
from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from moderator.domain.register import Person
from moderator.store.passkeys import Passkey
from moderator.web.origin import Origin

TIMEOUT_SECONDS = 300
"""How long a person has to answer (WebAuthn section 15.1 recommends five minutes)."""

_WRONG = (WebAuthnException, ValueError, RecursionError)
"""How py_webauthn and what it reads with say that an answer is malformed or wrong (the last: JSON nested without end)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a passkey: `options` for the browser, and the challenge to hold the answer against (base64url)."""

    options: dict[str, Any]
    challenge: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that holds, and the device's own count of answers (0: it does not count)."""

    credential_id: str
    public_key: bytes
    sign_count: int


def passkeys_work(origin: Origin) -> bool:
    """Return whether passkeys can be used at this address: browsers want a name, not a number."""
    try:
        ipaddress.ip_address(origin.name)
    except ValueError:
        return True
    return False


def handle(person_id: int) -> bytes:
    """Return what a passkey calls its person: it says nothing about them."""
    return f"person-{person_id}".encode()


def ask_to_add(origin: Origin, person: Person, known: list[Passkey]) -> Asked:
    """Return the question that makes a new passkey: it must know its person by itself, and ask for a finger, a face or a PIN."""
    made = webauthn.generate_registration_options(
        rp_id=origin.name,
        rp_name="Moderator",
        user_id=handle(person.id),
        user_name=person.email,
        user_display_name=person.name,
        timeout=TIMEOUT_SECONDS * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id)) for each in known],
    )
    return Asked(json.loads(webauthn.options_to_json(made)), bytes_to_base64url(made.challenge))


def ask_who(origin: Origin) -> Asked:
    """Return the question that signs in: any passkey of this site may answer."""
    made = webauthn.generate_authentication_options(
        rp_id=origin.name, timeout=TIMEOUT_SECONDS * 1000, user_verification=UserVerificationRequirement.REQUIRED
    )
    return Asked(json.loads(webauthn.options_to_json(made)), bytes_to_base64url(made.challenge))


def added(origin: Origin, answer: str, challenge: str) -> Answered | None:
    """Return the new passkey of an answer; None when it does not hold for this site, this challenge and a verified person."""
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=origin.name,
            expected_origin=origin.text,
            require_user_verification=True,
        )
    except _WRONG:
        return None
    return Answered(bytes_to_base64url(found.credential_id), found.credential_public_key, found.sign_count)


def named_in(answer: str) -> tuple[str, bytes | None]:
    """Return which credential an answer claims to be, and whose it says it is; ("", None) for what is no answer."""
    try:
        claimed = webauthn.helpers.parse_authentication_credential_json(answer)
    except _WRONG:
        return "", None
    return claimed.id, claimed.response.user_handle


def held(origin: Origin, answer: str, challenge: str, passkey: Passkey) -> Answered | None:
    """Return the answer of a stored passkey; None when it does not hold. The count is for the caller to judge."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=origin.name,
            expected_origin=origin.text,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # a copied passkey is told apart from a wrong answer below
            require_user_verification=True,
        )
    except _WRONG:
        return None
    return Answered(passkey.credential_id, passkey.public_key, found.new_sign_count)


def looks_copied(passkey: Passkey, count: int) -> bool:
    """Return whether the device's count went back or stood still though it counts: two devices hold the key (section 6.1.1)."""
    return max(passkey.sign_count, count) > 0 and count <= passkey.sign_count
