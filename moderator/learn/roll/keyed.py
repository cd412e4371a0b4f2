"""Keyed digests of name forms, and the mask that hides which are equal at rest (R29). Used by `tokens`, `index` and `match`."""

import hashlib
from collections.abc import Iterable

from moderator.learn.roll.spelling import run_together

SIZE = 8
"""Bytes of a digest: of two million forms, one look-up in about 10^13 agrees by chance."""

_SALT = 16


class Keyed:
    """Makes the digests of one key. Every method returns a 64-bit whole number; same form and key, same digest, on every machine."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """Take the secret key, 1 to 64 bytes. Raises ValueError for a longer one."""
        hashlib.blake2b(key=key)
        self._key = key

    def part(self, word: str) -> int:
        """Return the digest of one name, first or last, as one word (`spelling.name_word`)."""
        return self._of(f"n{word}")

    def pair(self, one: int, other: int) -> int:
        """Return the digest of a first and a last name by their digests, whichever comes first."""
        return self._of(f"p{one}+{other}" if one < other else f"p{other}+{one}")

    def variant(self, one: int, other: int) -> int:
        """Return the digest of a nickname or a spelling variant with a last name, whichever comes first."""
        return self._of(f"v{one}+{other}" if one < other else f"v{other}+{one}")

    def initial(self, letter: str, last: int) -> int:
        """Return the digest of an initial with a last name's digest."""
        return self._of(f"i{letter}{last}")

    def titled(self, last: int) -> int:
        """Return the digest of a title, whichever, with a last name's digest."""
        return self._of(f"t{last}")

    def surname(self, last: int) -> int:
        """Return the digest of a last name alone."""
        return self._of(f"s{last}")

    def squashed(self, word: str) -> int:
        """Return the digest of a whole name written as one word: "firstlast", or "~lastfirst"."""
        return self._of(f"q{run_together(word)}")

    def opener(self, word: str) -> int:
        """Return the digest of the first word of a name of several words."""
        return self._of(f"o{word}")

    def pattern(self, pattern: str) -> int:
        """Return the digest of a one-edit pattern."""
        return self._of(f"g{pattern}")

    def triple(self, letters: str) -> int:
        """Return the digest of a letter triple."""
        return self._of(f"3{letters}")

    def _of(self, form: str) -> int:
        return int.from_bytes(hashlib.blake2b(form.encode("utf-8", "surrogatepass"), key=self._key, digest_size=SIZE).digest(), "big")

    def mask(self, digests: Iterable[int], whose: str) -> bytes:
        """Return a person's digests, ascending, under a mask of their own; the salt comes first. `whose` says who it is, with the name."""
        salt = hashlib.blake2b(f"m{whose}".encode("utf-8", "surrogatepass"), key=self._key, digest_size=_SALT).digest()
        return salt + self._masked(packed(digests), salt)

    def unmask(self, masked: bytes) -> bytes:
        """Return the digests that `mask` hid, packed."""
        return self._masked(masked[_SALT:], masked[:_SALT])

    def _masked(self, plain: bytes, salt: bytes) -> bytes:
        pad = hashlib.shake_256(b"roll" + len(self._key).to_bytes(2, "big") + self._key + salt).digest(len(plain))
        return (int.from_bytes(plain, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(plain), "big")


def packed(digests: Iterable[int]) -> bytes:
    """Return distinct digests, ascending, 8 bytes each, most significant first."""
    return b"".join(digest.to_bytes(SIZE, "big") for digest in sorted(set(digests)))


def packed_pairs(pairs: Iterable[tuple[int, int]]) -> bytes:
    """Return distinct pairs of digests, ascending, 16 bytes each."""
    return b"".join(one.to_bytes(SIZE, "big") + other.to_bytes(SIZE, "big") for one, other in sorted(set(pairs)))
