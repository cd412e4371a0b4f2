"""The four reads of X: which tweepy call, with which parameters. Called by the adapter.

A page is asked for in up to three ways. X refuses (400) a page token that has aged, and a search from a post older than seven days:
then the page is asked for again by its oldest id so far, and at last without a starting point, which X reads as "the last seven days".
Leaving the start out says the same as a start time seven days ago and needs no agreement between two clocks; X refuses a start time
together with an oldest id.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from moderator.platforms.x.cursor import Cursor
from moderator.platforms.x.errors import BadRequest
from moderator.platforms.x.fields import EXPANSIONS, MEDIA_FIELDS, POST_FIELDS, ROOT_FIELDS, USER_FIELDS
from moderator.platforms.x.line import Answer, Line

Bounds = dict[str, str | int]
Way = tuple[Bounds, Cursor]

_WHOLE: Final = {
    "user_auth": False,
    "tweet_fields": list(POST_FIELDS),
    "expansions": list(EXPANSIONS),
    "user_fields": list(USER_FIELDS),
    "media_fields": list(MEDIA_FIELDS),
}


def query_of(handle: str, cursor: Cursor) -> str:
    """Return the search query of the cursor's group, at most 512 characters. Own posts and bare shares are left out: they cost reads."""
    terms = [f"conversation_id:{conversation}" for conversation in cursor.group.conversations]
    if cursor.at:
        return f"({' OR '.join(terms)}) -to:{handle} -from:{handle} -is:retweet"
    return f"({' OR '.join([f'to:{handle}', *terms])}) -from:{handle} -is:retweet"


def replies(line: Line, cursor: Cursor, *, handle: str, size: int) -> tuple[Answer, Cursor]:
    """Return one page of replies, and the cursor as it was really asked with."""
    ways = list(_ways(cursor, "next_token"))
    if cursor.group.since:
        fresh = cursor.from_the_start()
        ways.append((_bounds(fresh), fresh))
    query = query_of(handle, cursor)
    return _tried(ways, lambda bounds: line.ask(lambda client: client.search_recent_tweets(query, max_results=size, **_WHOLE, **bounds)))


def mentions(line: Line, cursor: Cursor, *, user_id: str, size: int) -> tuple[Answer, Cursor]:
    """Return one page of mentions, and the cursor."""
    ways = list(_ways(cursor, "pagination_token"))
    return _tried(ways, lambda bounds: line.ask(lambda client: client.get_users_mentions(user_id, max_results=size, **_WHOLE, **bounds)))


def roots(line: Line, conversations: list[int]) -> Answer:
    """Return the first posts of up to 100 conversations, without anything included."""
    return line.ask(lambda client: client.get_tweets(conversations, tweet_fields=list(ROOT_FIELDS), user_auth=False))


def one(line: Line, post_id: str) -> Answer:
    """Return one post as it is now."""
    return line.ask(lambda client: client.get_tweet(post_id, **_WHOLE))


def _tried(ways: list[Way], read: Callable[[Bounds], Answer]) -> tuple[Answer, Cursor]:
    """Return the answer to the first way that X does not call a bad request, and its cursor."""
    *earlier, (bounds, cursor) = ways
    for other, asked in earlier:
        with suppress(BadRequest):
            return read(other), asked
    return read(bounds), cursor


def _ways(cursor: Cursor, token_name: str) -> Iterator[Way]:
    if cursor.next_page:
        yield {**_since(cursor), token_name: cursor.next_page}, cursor
    yield _bounds(cursor), cursor


def _since(cursor: Cursor) -> Bounds:
    return {"since_id": cursor.group.since} if cursor.group.since else {}


def _bounds(cursor: Cursor) -> Bounds:
    return _since(cursor) | ({"until_id": cursor.until} if cursor.until else {})
