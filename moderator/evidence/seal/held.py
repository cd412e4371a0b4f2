"""The stamps that a stored bag holds, as the books note them. Called by the sealing for a record that is there already."""

from moderator.domain.record import Stamp
from moderator.evidence.seal.renewal import chain_name, list_name, stamps_in, token_name
from moderator.evidence.seal.token import read_token
from moderator.ports import Vault


def stamps_held(vault: Vault, path: str) -> tuple[Stamp, ...]:
    """Return every stamp of a stored bag, in order of rounds. Raises BadInput when one does not hold."""
    found = []
    for authority, number in stamps_in(vault.names(path)):
        token, chain = (vault.open(path, name(authority, number)) for name in (token_name, chain_name))
        said = read_token(token, chain, vault.open(path, list_name(number)))
        found.append(Stamp(authority, number, said.at, said.expires_at))
    return tuple(found)
