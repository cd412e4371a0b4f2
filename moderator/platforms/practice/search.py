"""Reads a recent-search query, as far as the adapter speaks it; called by the API.

`(a OR b …) -c -d`: terms are `conversation_id:N`, `to:handle`, `from:handle`, `@handle`, `is:retweet`.
"""

import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 512
"""Characters of a query (X, self-serve access)."""

_SHAPE: Final = re.compile(r"\((?P<any>[^()]+)\)(?P<without>(?: -[^ ()]+)*)")


class BadQuery(Exception):  # noqa: N818 - the API turns it into a 400
    """The query is not one that recent search understands."""


@dataclass(frozen=True, slots=True)
class Where:
    """A condition in SQL with its values."""

    sql: str
    values: tuple[object, ...]


def read_query(query: str) -> Where:
    """Return the query as a condition on posts. Raises BadQuery."""
    found = _SHAPE.fullmatch(query)
    if found is None or len(query) > LONGEST:
        message = f"a query has up to {LONGEST} characters and reads (term OR term) -term"
        raise BadQuery(message)
    wanted = [_term(term) for term in found["any"].split(" OR ")]
    unwanted = [_term(term.removeprefix("-")) for term in found["without"].split()]
    sql = f"({' OR '.join(one.sql for one in wanted)})" + "".join(f" AND NOT coalesce({one.sql}, 0)" for one in unwanted)
    return Where(sql, tuple(value for one in [*wanted, *unwanted] for value in one.values))


def _term(term: str) -> Where:
    operator, colon, value = term.partition(":")
    if operator == "conversation_id" and value.isdecimal():
        return Where("conversation_id = ?", (int(value),))
    if operator == "to" and value:
        return Where("to_id = (SELECT id FROM people WHERE handle = ?)", (value,))
    if operator == "from" and value:
        return Where("author_id = (SELECT id FROM people WHERE handle = ?)", (value,))
    if (operator, value) == ("is", "retweet"):
        return Where("0", ())  # nobody shares posts on the practice network
    if term.startswith("@") and not colon:
        return Where("instr(lower(text), lower(?))", (term,))
    message = f"{term} is not a search operator"
    raise BadQuery(message)
