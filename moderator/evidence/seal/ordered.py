"""Putting the certificates inside a stamp in the order that DER asks for. Called by the authorities, before a stamp is read and kept.

Authorities built on `openssl ts` send them in the order of their settings. The strict reader refuses such a stamp. The order is no part
of what the authority signed, and no length changes.
"""

from collections.abc import Iterator

_SEQUENCE, _FIRST = 0x30, 0xA0
_LONG = 0x80
_MOST_LENGTH_BYTES = 4

_Part = tuple[int, int, int]
"""One value in DER: where it starts, where its content starts, where it ends."""


def in_order(token: bytes) -> bytes:
    """Return a timestamp response with its certificates in DER order; what is not laid out as RFC 3161 says comes back as it is."""
    try:
        place = _certificates(token)
        if place is None:
            return token
        _, start, end = place
        parts = sorted(token[begins:ends] for begins, _, ends in _inside(token, start, end))
    except ValueError:
        return token
    return token[:start] + b"".join(parts) + token[end:]


def _certificates(token: bytes) -> _Part | None:
    """Return where the certificates are: response, content info, [0], signed data, the part tagged [0]; None when there are none."""
    response = _only(token, 0, len(token), _SEQUENCE)
    content_info = _nth(token, response, 1, _SEQUENCE)
    explicit = _nth(token, content_info, 1, _FIRST)
    signed = _only(token, explicit[1], explicit[2], _SEQUENCE)
    return next((part for part in _inside(token, signed[1], signed[2]) if token[part[0]] == _FIRST), None)


def _only(token: bytes, start: int, end: int, tag: int) -> _Part:
    return _tagged(token, next(_inside(token, start, end), None), tag)


def _nth(token: bytes, part: _Part, number: int, tag: int) -> _Part:
    inside = list(_inside(token, part[1], part[2]))
    return _tagged(token, inside[number] if len(inside) > number else None, tag)


def _tagged(token: bytes, part: _Part | None, tag: int) -> _Part:
    if part is None or token[part[0]] != tag:
        raise ValueError(tag)
    return part


def _inside(token: bytes, start: int, end: int) -> Iterator[_Part]:
    """Yield the values between two places. Raises ValueError when a length leaves them or is not definite."""
    while start < end:
        content, length = _length(token, start + 1, end)
        if content + length > end:
            raise ValueError(start)
        yield start, content, content + length
        start = content + length


def _length(token: bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the content begins and how long it is."""
    if at >= end:
        raise ValueError(at)
    first = token[at]
    if first < _LONG:
        return at + 1, first
    size = first - _LONG
    if not 0 < size <= _MOST_LENGTH_BYTES or at + 1 + size > end:
        raise ValueError(at)
    return at + 1 + size, int.from_bytes(token[at + 1 : at + 1 + size], "big")
