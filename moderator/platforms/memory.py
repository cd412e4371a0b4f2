"""A platform in memory: the null version of the Platform port, for rehearsals and tests. Does what it is told; fails when told."""

from collections import deque
from dataclasses import replace
from datetime import timedelta

from moderator.domain.account import Capabilities
from moderator.domain.errors import BadInput, Gone, ModeratorError, Refused
from moderator.domain.item import Fetched, Page, SeenComment

CAPABILITIES = Capabilities(
    name="memory",
    can_hide=True,
    visible_after_hide="Nobody sees it: this platform is only in memory.",
    hides_per_window=1000,
    window=timedelta(minutes=15),
)


class MemoryPlatform:
    """One account's comments, in order; implements ports.Platform. `failures` are raised by the next calls, one each."""

    def __init__(self, comments: tuple[SeenComment, ...] = (), *, page_size: int = 100) -> None:
        """Start with some comments, the oldest first."""
        self.comments = list(comments)
        self.hidden: set[str] = set()
        self.calls: list[str] = []
        self.failures: deque[ModeratorError] = deque()
        self.believes_hidden: bool | None = None
        self._page_size = page_size

    @property
    def capabilities(self) -> Capabilities:
        """Everything can be done."""
        return CAPABILITIES

    @property
    def sources(self) -> tuple[str, ...]:
        """One list."""
        return ("comments",)

    def smallest_page(self, source: str) -> int:
        """One read."""
        del source
        return 1

    def poll(self, source: str, cursor: str, *, limit: int) -> Page:
        """Return the comments after the cursor, which is a count."""
        self._call(f"poll {source}")
        if limit < 1:
            message = "a page holds at least one comment"
            raise BadInput(message)
        start = int(cursor or 0)
        found = tuple(self.comments[start : start + min(limit, self._page_size)])
        end = start + len(found)
        return Page(found, str(end), more=end < len(self.comments), reads=len(found), body=b'{"from":"memory"}')

    def fetch(self, comment_id: str) -> Fetched:
        """Return one comment. Raises Gone when it was deleted."""
        self._call(f"fetch {comment_id}")
        for comment in reversed(self.comments):
            if comment.comment_id == comment_id:
                return Fetched(comment, b'{"fetched":"from memory"}')
        message = "the comment was deleted"
        raise Gone(message)

    def set_hidden(self, comment_id: str, *, hidden: bool) -> bool:
        """Hide or un-hide, and return the state read back (or what `believes_hidden` says it is)."""
        self._call(f"{'hide' if hidden else 'unhide'} {comment_id}")
        comment = self.fetch(comment_id).comment
        if not comment.hideable:
            message = "this comment cannot be hidden"
            raise Refused(message)
        if self.believes_hidden is not None:
            return self.believes_hidden
        (self.hidden.add if hidden else self.hidden.discard)(comment_id)
        return comment_id in self.hidden

    def identity(self) -> str:
        """Return a fixed id."""
        self._call("identity")
        return "memory-1"

    def edit(self, comment_id: str, text: str) -> None:
        """Let an author edit a comment: it comes again, with the new text."""
        old = self.fetch(comment_id).comment
        self.comments.append(replace(old, text=text, edited=True))

    def delete(self, comment_id: str) -> None:
        """Let an author delete a comment."""
        self.comments = [comment for comment in self.comments if comment.comment_id != comment_id]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.failures:
            raise self.failures.popleft()
