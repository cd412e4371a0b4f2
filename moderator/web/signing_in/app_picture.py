"""The secret of an authenticator app, as an address, as a picture to scan and as letters to type. Called by the set-up pages."""

import re

import pyotp
from zxingcpp import BarcodeFormat, create_barcode

from moderator.domain.register import Person
from moderator.store.proofs import STEP_SECONDS

ISSUER = "Moderator"
_SIZE = re.compile(r'<svg width="(\d+)" height="(\d+)"')
"""A fixed size, which becomes a view: the page says how large it is."""


def app_address(secret: str, person: Person) -> str:
    """Return the `otpauth:` address that apps read (Google's key URI format, with the values that all of them know)."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=person.email, issuer_name=ISSUER)


def picture(address: str) -> bytes:
    """Return the address as a QR code: SVG of any size, black on white, with the quiet zone that the standard asks for."""
    drawn = create_barcode(address, BarcodeFormat.QRCode, ec_level="M").to_svg(add_quiet_zones=True)
    return _SIZE.sub(r'<svg viewBox="0 0 \1 \2"', drawn, count=1).encode()


def in_fours(secret: str) -> str:
    """Return the secret in groups of four letters, to type by hand."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
