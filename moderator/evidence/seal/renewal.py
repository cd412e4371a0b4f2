"""How stamps and their renewals are named, and the list a renewal is over (RECORD.md). Called by the sealing and the late stamps."""

import hashlib
import re
from collections.abc import Callable, Iterable

from moderator.evidence.vault.names import DATA, MANIFEST, MANIFEST_512, STAMP_END

TOKEN, CHAIN = STAMP_END, "-chain.pem"
_LIST = re.compile(r"renewal-([0-9]{4})-sha512\.txt")
_CHAIN_OF_ROUND = re.compile(r"[a-z0-9][a-z0-9-]*-([0-9]{4})-chain\.pem")
_STAMP = re.compile(r"(?:manifest-sha256\.txt|renewal-([0-9]{4})-sha512\.txt)\.([a-z0-9][a-z0-9-]*)\.tsr")


def list_name(number: int) -> str:
    """Return the name of what the stamps of a round are over: the manifest in round 1, a list in each later one."""
    return MANIFEST if number == 1 else f"renewal-{number:04d}-sha512.txt"


def token_name(authority: str, number: int) -> str:
    """Return the name of an authority's stamp of a round."""
    return f"{list_name(number)}.{authority}{TOKEN}"


def chain_name(authority: str, number: int) -> str:
    """Return the name of the chain beside an authority's stamp of a round."""
    return f"{authority}{CHAIN}" if number == 1 else f"{authority}-{number:04d}{CHAIN}"


def newest_round(names: Iterable[str]) -> int:
    """Return the number of a bag's newest round: that of its newest list, 1 when it has none."""
    return max((int(found[1]) for name in names if (found := _LIST.fullmatch(name))), default=1)


def stamps_in(names: Iterable[str]) -> list[tuple[str, int]]:
    """Return authority and round of every stamp in a bag, in order of rounds."""
    found = [match for name in names if (match := _STAMP.fullmatch(name))]
    return sorted(((match[2], int(match[1] or 1)) for match in found), key=lambda each: (each[1], each[0]))


def renewal_list(names: Iterable[str], number: int, read: Callable[[str], bytes]) -> bytes:
    """Return the list of round `number`: SHA-512 and name, as `sha512sum -c` reads it, of the manifests and of every earlier stamp.

    Every stamp, chain and list of the rounds before is covered; what a crash left of this very round is not.
    """
    covered = sorted(name for name in names if name in {MANIFEST, MANIFEST_512} or 0 < _round_of(name) < number)
    return "".join(f"{hashlib.sha512(read(name)).hexdigest()}  {name}\n" for name in covered).encode()


def _round_of(name: str) -> int:
    """Return the round a file beside the manifests belongs to; 0 for one that is no stamp, chain or list."""
    if name.startswith(DATA):
        return 0
    for form in (_LIST, _STAMP, _CHAIN_OF_ROUND):
        found = form.fullmatch(name)
        if found:
            return int(found[1] or 1)
    return 1 if name.endswith(CHAIN) else 0
