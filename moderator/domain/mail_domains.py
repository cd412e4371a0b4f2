"""Which addresses mail may go to: those on the schools' and the trust's own domains (R26). Called by the settings and the composer."""

import re
from collections.abc import Collection

_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_LOCAL = re.compile(r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9#$&'*+/=?^_`{|}~-]+)*", re.ASCII)
"""The dot-atom of RFC 5322, without the % and ! that some relays still take for a route to another host (RFC 1123, section 5.2.16).

The quoted form and comments are nobody's real address, and programs disagree on what they mean.
"""

LONGEST_DOMAIN, LONGEST_LOCAL = 253, 64
"""Letters at most: RFC 1035 section 2.3.4, RFC 5321 section 4.5.3.1.1."""


def is_domain(text: str) -> bool:
    """Return whether a text is a plain domain name with a dot in it: ASCII (other letters as `xn--…`), and no dot at its end."""
    return len(text) <= LONGEST_DOMAIN and _DOMAIN.fullmatch(text) is not None


def allowed(address: str, domains: Collection[str]) -> bool:
    """Return whether mail may go to an address: one plain `name@domain` whose domain is one of those given, letter for letter. Pure.

    `domains` are in lower case; capitals in the address do not matter. A domain below an allowed one is another domain, and must be
    listed itself. What could be read in two ways is refused: several `@`, quotes, comments, a dot at the end, letters beyond ASCII.
    """
    local, at, domain = address.partition("@")
    plain = at == "@" and len(local) <= LONGEST_LOCAL and _LOCAL.fullmatch(local) is not None and is_domain(domain)
    return plain and domain.lower() in domains
