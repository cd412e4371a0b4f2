"""What a record's bag holds: the names of its files, and who has stamped it. Called by the item page."""

from moderator.domain.record import SealedRecord
from moderator.evidence.seal.renewal import stamps_in
from moderator.web.site import Site


def files_of(site: Site, record: SealedRecord) -> tuple[str, ...]:
    """Return the names of the record's files, later stamps among them; none when the bag is not there."""
    return site.tools.vault.names(record.path)


def stamp_words(site: Site, record: SealedRecord) -> str:
    """Return who has stamped the record, in words. Whether a stamp holds is for the check to say."""
    found = sorted({authority for authority, _ in stamps_in(files_of(site, record))})
    if found:
        return f"by {', '.join(found)}"
    if record.stamp_pending:
        return "not yet: no time stamp authority has answered so far"
    return "none: no time stamp authority is set up"
