"""What the text tests share."""

import pytest

from moderator.text import lexicon, pictures


@pytest.fixture(scope="module", autouse=True)
def tables_read_anew() -> None:
    """Forget the tables that are read once for a process: read while a test of an untraced file ran, they would count as never read."""
    lexicon.lexicon.cache_clear()
    pictures._names.cache_clear()  # noqa: SLF001 - nobody else forgets it
