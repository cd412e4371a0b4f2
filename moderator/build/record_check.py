"""The quick check of one record that its page makes: the bag, and what the ledger says of it. Called by the command line, for the pages."""

from collections.abc import Callable

from moderator.domain.record import Verification
from moderator.evidence.check.bag import BagTask, check_bag
from moderator.evidence.vault.sourced import SourcedVault
from moderator.store.database import Database
from moderator.store.ledger import chains_of, is_disposed, public_keys


def record_check(database: Database, vault: SourcedVault) -> Callable[[str], Verification]:
    """Return what checks the record at a place (`<school>/<yyyy>/<record id>`) of the vault as it is stored.

    It looks up the record's own ledger lines and walks no ledger: `moderator verify` does. It reads only and may be repeated; it raises
    Transient when the vault or the database is away, BadInput for a place that no record can have.
    """

    def check(path: str) -> Verification:
        school, year, record = path.split("/")
        with database.reading() as connection:
            keys = tuple(each.public_key for each in public_keys(connection, school))
            chains, disposed = chains_of(connection, school, record), is_disposed(connection, school, record)
        found = check_bag(BagTask(vault.source(path), school, record, keys=keys, year=year, chains=chains, disposed=disposed))
        return Verification(1, found.faults)

    return check
