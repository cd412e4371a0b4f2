"""A school's own words in its mails, versioned (R32). Called by the words page, and by the alert and digest steps through `duty`."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from moderator.domain.errors import BadInput
from moderator.domain.mail_words import MailWords, MailWordsVersion, Part
from moderator.store.mail_tables import MailWordsRow

MAIL_WORDS: sa.Table = MailWordsRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation


def words_of(connection: sa.Connection, school: str, mail: str) -> MailWords:
    """Return the words a school has for a kind of mail, `alert` or `digest`, as they were kept: whether they may go is not asked here."""
    found = parts(connection, school)
    return MailWords(found[Part(f"{mail}-opening")], found[Part(f"{mail}-closing")])


def parts(connection: sa.Connection, school: str) -> Mapping[Part, tuple[str, ...]]:
    """Return the newest words of every part, empty where there are none."""
    newest = sa.select(sa.func.max(MAIL_WORDS.c.id)).where(MAIL_WORDS.c.school == school).group_by(MAIL_WORDS.c.part)
    rows = connection.execute(sa.select(MAIL_WORDS.c.part, MAIL_WORDS.c.words).where(MAIL_WORDS.c.id.in_(newest))).all()
    found = {row.part: tuple(row.words.split("\n")) if row.words else () for row in rows}
    return {part: found.get(part.value, ()) for part in Part}


def put_words(  # noqa: PLR0913 - the facts of one version
    connection: sa.Connection, *, school: str, part: Part, words: tuple[str, ...], author: str, why: str, at: datetime
) -> None:
    """Store a new version of one part; empty `words` take it away. Raises BadInput when it is what counts already, or without why."""
    if parts(connection, school)[part] == words:
        message = "these words are what counts already"
        raise BadInput(message)
    if not why.strip():
        message = "say why the words change"
        raise BadInput(message)
    values = {"school": school, "part": part.value, "words": "\n".join(words), "author": author, "at": at, "why": why.strip()}
    connection.execute(sa.insert(MAIL_WORDS).values(values))


def versions(connection: sa.Connection, school: str, *, limit: int) -> list[MailWordsVersion]:
    """Return a school's newest changes, the newest first."""
    wanted = sa.select(MAIL_WORDS).where(MAIL_WORDS.c.school == school).order_by(MAIL_WORDS.c.id.desc()).limit(limit)
    return [
        MailWordsVersion(Part(row.part), tuple(row.words.split("\n")) if row.words else (), row.author, row.at, row.why)
        for row in connection.execute(wanted)
    ]
