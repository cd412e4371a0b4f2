"""One school account on X, as `ports.Platform`; built by `build` and used by the steps.

Sources: `mentions` (the newest 800) and `replies` (seven days of replies in the account's conversations; see x.cursor for how they are
found). Reads are counted high: every post an answer carries, asked for or included.
"""

import re
from datetime import timedelta
from typing import Final

from moderator import ports
from moderator.domain.account import Capabilities
from moderator.domain.errors import BadInput, Gone, Refused, Transient
from moderator.domain.item import Fetched, ItemKind, Page, SeenComment
from moderator.platforms.x import ask, parse
from moderator.platforms.x.cursor import Cursor, read_cursor
from moderator.platforms.x.line import Answer, Line
from moderator.platforms.x.tokens import Keys
from moderator.platforms.x.wire import checked_address, open_session

CAPABILITIES: Final = Capabilities(
    name="X",
    can_hide=True,
    visible_after_hide="On X, anyone can still open a hidden reply under 'hidden replies'.",
    hides_per_window=50,
    window=timedelta(minutes=15),
)

MENTIONS: Final = "mentions"
REPLIES: Final = "replies"

_FEWEST: Final = {MENTIONS: 5, REPLIES: 10}
"""The smallest `max_results` X takes (X API v2, mentions timeline and recent search)."""

_MOST: Final = 100
_POSTS_A_RESULT: Final = 3
"""A result is billed as itself, and at most one post it replies to and one it quotes."""

_MISSING: Final = "Not Found Error"


class XPlatform:
    """See `ports.Platform`."""

    def __init__(  # noqa: PLR0913 - each is one fact of the account or of its registration with X
        self,
        *,
        platform_id: str,
        handle: str,
        credentials: ports.Credentials,
        clock: ports.Clock,
        client_id: str,
        client_secret: str = "",
        api_url: str = "https://api.x.com",
        site_url: str = "https://x.com",
        timeout: float = 20.0,
    ) -> None:
        """Keep the account's facts; no request is made. `timeout` is in seconds a request. Raises BadInput for facts X cannot have."""
        self._id = platform_id
        self._handle = handle.removeprefix("@")
        if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", self._handle) or not re.fullmatch(r"[0-9]{1,19}", platform_id):
            message = f"{handle} ({platform_id}): an X handle has up to 15 letters, digits or _, and an X id up to 19 digits"
            raise BadInput(message)
        self._site_url = site_url.rstrip("/")
        session = open_session(api_url, timeout)
        keys = Keys(
            credentials,
            session=session,
            clock=clock,
            api_url=checked_address(api_url),
            client_id=client_id,
            client_secret=client_secret,
        )
        self._line = Line(session, keys=keys, clock=clock)

    @property
    def capabilities(self) -> Capabilities:
        """What X can do."""
        return CAPABILITIES

    @property
    def sources(self) -> tuple[str, ...]:
        """Mentions of the account, and replies in its conversations."""
        return (MENTIONS, REPLIES)

    def smallest_page(self, source: str) -> int:
        """Return the fewest reads one poll can be billed as at most."""
        return _fewest(source) * _POSTS_A_RESULT

    def poll(self, source: str, cursor: str, *, limit: int) -> Page:
        """Return one page; see `ports.Platform`. A second request may ask for the first posts of conversations that the answer left out.

        Who began a conversation decides whether its replies can be hidden. When the reads do not allow asking, the reply counts as
        hideable: X decides.
        """
        if limit < self.smallest_page(source):
            message = f"a poll of X {source} needs room for {self.smallest_page(source)} reads, not {limit}"
            raise BadInput(message)
        size = min(_MOST, limit // _POSTS_A_RESULT)
        answer, asked = self._page(source, read_cursor(cursor), size)
        known = parse.Known()
        known.add(answer.table)
        posts = parse.data_of(answer.table)
        items = [post for post in posts if parse.is_item(post, self._id)]
        reads = parse.billed(answer.table)
        reads += self._look_up_roots(items, known, room=limit - reads)
        owns = self._owned(posts, known)
        moved, more = asked.turned(
            tuple(parse.id_of(post) for post in posts),
            next_page=parse.next_token(answer.table),
            learnt=_begun(posts, owns) if source == REPLIES else (),
        )
        return Page(
            comments=tuple(self._comment(post, known, owns) for post in items),
            cursor=moved.text(),
            more=more,
            reads=reads,
            body=answer.body,
            headers=answer.headers,
            status=answer.status,
            request_id=answer.request_id,
        )

    def fetch(self, comment_id: str) -> Fetched:
        """Return one comment as it is now, billed as itself and the posts it refers to. Raises Gone when X has it no more."""
        answer = ask.one(self._line, _checked(comment_id))
        posts = parse.data_of(answer.table)
        if not posts:
            raise _absent(answer)
        known = parse.Known()
        known.add(answer.table)
        return Fetched(
            comment=self._comment(posts[0], known, self._owned(posts, known)),
            body=answer.body,
            headers=answer.headers,
            status=answer.status,
            request_id=answer.request_id,
            reads=parse.billed(answer.table),
        )

    def set_hidden(self, comment_id: str, *, hidden: bool) -> bool:
        """Hide or show a reply and return the state X says it now has. May be repeated.

        X publishes no way to read the hidden state: the answer to the change is the only word there is. Only `data.hidden` being true
        or false counts; any other answer is Transient, since the state is then unknown and setting it again does no harm.
        """
        post_id = _checked(comment_id)
        answer = self._line.ask(
            lambda client: client.hide_reply(post_id, user_auth=False) if hidden else client.unhide_reply(post_id, user_auth=False)
        )
        data = answer.table.get("data")
        state = data.get("hidden") if isinstance(data, dict) else None
        if isinstance(state, bool):
            return state
        if _MISSING in parse.problems(answer.table):
            raise _absent(answer)
        message = "X did not say whether the reply is hidden now"
        raise Transient(message)

    def identity(self) -> str:
        """Return the id of the account that authorised us. Raises Refused when that is not the handle this adapter is for."""
        answer = self._line.ask(lambda client: client.get_me(user_auth=False))
        data = answer.table.get("data")
        if isinstance(data, dict) and isinstance(data.get("id"), str):
            whose = str(data.get("username", ""))
            if whose.casefold() != self._handle.casefold():
                message = f"this authorisation is @{whose}'s, not @{self._handle}'s: sign in to X as the school's account"
                raise Refused(message)
            return str(data["id"])
        message = "X did not say whose authorisation this is"
        raise Transient(message)

    def _page(self, source: str, cursor: Cursor, size: int) -> tuple[Answer, Cursor]:
        if source == MENTIONS:
            return ask.mentions(self._line, cursor, user_id=self._id, size=size)
        return ask.replies(self._line, cursor, handle=self._handle, size=size)

    def _look_up_roots(self, items: list[parse.Table], known: parse.Known, *, room: int) -> int:
        """Add the first posts of the replies' conversations, as far as the reads allow; return what that was billed as.

        They are context (R14), and say whose conversation it is; those for which nothing else says so go first.
        """
        wanted = {
            parse.conversation_of(post): parse.root_author(post, known) is not None
            for post in items
            if parse.kind_of(post) is ItemKind.REPLY and parse.conversation_of(post) not in known.posts
        }
        ids = sorted(wanted, key=lambda conversation: (wanted[conversation], -conversation))[: min(room, _MOST)]
        if not ids:
            return 0
        answer = ask.roots(self._line, ids)
        known.add(answer.table)
        known.gone.update(set(ids).difference(known.posts))
        return parse.billed(answer.table)

    def _owned(self, posts: list[parse.Table], known: parse.Known) -> dict[int, bool]:
        """Return, for each conversation of which it is known, whether the account began it."""
        authors = [(parse.conversation_of(post), parse.root_author(post, known)) for post in posts]
        return {conversation: author == self._id for conversation, author in authors if author is not None}

    def _comment(self, post: parse.Table, known: parse.Known, owns: dict[int, bool]) -> SeenComment:
        return parse.comment_of(post, known, site_url=self._site_url, own=owns.get(parse.conversation_of(post)))


def _fewest(source: str) -> int:
    if source not in _FEWEST:
        message = f"X has no source {source}; use one of {', '.join(_FEWEST)}"
        raise BadInput(message)
    return _FEWEST[source]


def _begun(posts: list[parse.Table], owns: dict[int, bool]) -> tuple[int, ...]:
    """Return the account's own conversations in which somebody has replied."""
    replied = {parse.conversation_of(post) for post in posts if parse.kind_of(post) is ItemKind.REPLY}
    return tuple(sorted(conversation for conversation in replied if owns.get(conversation)))


def _checked(comment_id: str) -> str:
    if re.fullmatch(r"[0-9]{1,19}", comment_id):
        return comment_id
    message = f"{comment_id} is not the id of a post on X"
    raise BadInput(message)


def _absent(answer: Answer) -> Exception:
    """Return the error for an answer of status 200 that carries no post: X sends the reason beside it."""
    titles = parse.problems(answer.table)
    if _MISSING in titles:
        return Gone("the post is no longer on X")
    if titles:
        return Refused(f"X does not show the post ({', '.join(titles)[:80]})")
    return Transient("X answered without the post")
