"""Where a poll of one source stands, as text the store can keep; called by the adapter.

X answers newest first, so a cursor that moved with every page would lose the older pages in a crash. `since` of a group moves only when
the last page of that group has come; until then the cursor holds the page token and the oldest id so far.

Why groups: `to:handle` finds replies to the account, but not replies to other repliers in its conversations. Those are asked for by
conversation, and X takes about eleven conversations in one query. A conversation is learnt from its first reply to the account, which
every conversation with replies has; it is then read once from where that cycle began, so nothing between is lost. Own posts are never
listed for this: that would cost reads and find nothing more.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Final

from moderator.domain.errors import BadInput

PER_GROUP: Final = 11
"""Conversations in one query: the most that fit 512 characters beside the longest handle."""

MOST_CONVERSATIONS: Final = 60
"""Newest conversations kept. In older ones a reply is still found when it is to the account or names it."""

MOST_GROUPS: Final = 8
"""Above this, groups are joined even when that reads a few posts again."""


@dataclass(frozen=True, slots=True)
class Group:
    """Conversations read together, all of them up to and including post `since` (0: from the start)."""

    since: int = 0
    conversations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The state of one source. The first group also holds the posts to the account itself (or its mentions).

    `at` is the group being read; `next_page` (X's token) and `until` (oldest id so far) continue it; `reach` is where its `since` will
    move to, None before its first page. `known` is the highest id seen in any group, `base` the first group's `since` when this cycle
    began.
    """

    groups: tuple[Group, ...] = (Group(),)
    at: int = 0
    next_page: str = ""
    until: int = 0
    reach: int | None = None
    known: int = 0
    base: int = 0

    @property
    def group(self) -> Group:
        """Return the group being read."""
        return self.groups[self.at]

    def text(self) -> str:
        """Return the cursor as the store keeps it."""
        return json.dumps(asdict(self), separators=(",", ":"))

    def turned(self, ids: tuple[int, ...], *, next_page: str, learnt: tuple[int, ...]) -> tuple["Cursor", bool]:
        """Return the cursor after one page, and whether another page waits.

        1. The first page fixes how far the group reaches: everything up to the highest id known by then is covered.
        2. With a token the group goes on; `since` stays.
        3. At the group's end `since` moves; newly learnt conversations wait as groups of their own from the cycle's base.
        4. After the last group the cycle ends, and groups that stand at the same place are joined.
        """
        reach = max(self.known, self.group.since, *ids, 0) if self.reach is None else self.reach
        grown = replace(self, known=max(self.known, *ids, 0), groups=self.groups + self._new_groups(learnt))
        if next_page:
            return replace(grown, next_page=next_page, until=min(ids, default=self.until), reach=reach), True
        done = replace(self.group, since=reach)
        groups = (*grown.groups[: self.at], done, *grown.groups[self.at + 1 :])
        if self.at + 1 < len(groups):
            return replace(grown, groups=groups, at=self.at + 1, next_page="", until=0, reach=None), True
        groups = _joined(groups)
        return replace(grown, groups=groups, at=0, next_page="", until=0, reach=None, base=groups[0].since), False

    def from_the_start(self) -> "Cursor":
        """Return the cursor with the group's `since` dropped: it is older than X searches, so all that X still has is new."""
        groups = (*self.groups[: self.at], replace(self.group, since=0), *self.groups[self.at + 1 :])
        return replace(self, groups=groups)

    def _new_groups(self, learnt: tuple[int, ...]) -> tuple[Group, ...]:
        held = {conversation for group in self.groups for conversation in group.conversations}
        kept = sorted(held.union(learnt), reverse=True)[:MOST_CONVERSATIONS]
        fresh = [conversation for conversation in kept if conversation not in held]
        return tuple(Group(self.base, tuple(fresh[start : start + PER_GROUP])) for start in range(0, len(fresh), PER_GROUP))


def read_cursor(text: str) -> Cursor:
    """Return the cursor that `text` wrote, or the first one for "". Raises BadInput for anything else."""
    if not text:
        return Cursor()
    try:
        table = json.loads(text)
        groups = tuple(Group(int(group["since"]), _ids(group["conversations"])) for group in table.pop("groups"))
        cursor = Cursor(groups=groups, **table)
        return replace(cursor, at=range(len(groups))[cursor.at])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        message = "the account's place in X's lists cannot be read: it was not written by this service"
        raise BadInput(message) from None


def _ids(values: list[int]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _joined(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """Return the groups packed as full as they go: those at the same place together, and all but the first when there are too many."""
    first, rest = groups[0], groups[1:]
    if len(groups) > MOST_GROUPS:
        rest = (Group(min(group.since for group in rest), tuple(found for group in rest for found in group.conversations)),)
    by_place: dict[int, list[int]] = {first.since: list(first.conversations)}
    for group in rest:
        by_place.setdefault(group.since, []).extend(group.conversations)
    kept = set(sorted((found for place in by_place.values() for found in place), reverse=True)[:MOST_CONVERSATIONS])
    packed: list[Group] = []
    for place, conversations in by_place.items():
        here = sorted(kept.intersection(conversations), reverse=True)
        starts = range(0, max(len(here), 1 if place == first.since else 0), PER_GROUP)
        packed.extend(Group(place, tuple(here[start : start + PER_GROUP])) for start in starts)
    return tuple(packed)
