"""The cursor by itself: groups, conversations, and what a query may hold."""

from moderator.platforms.x.ask import query_of
from moderator.platforms.x.cursor import MOST_CONVERSATIONS, MOST_GROUPS, PER_GROUP, Cursor, Group, read_cursor

FIRST = 1_900_000_000_000_000_000


def conversations(count: int, *, start: int = FIRST) -> tuple[int, ...]:
    return tuple(range(start, start + count))


def test_a_cursor_survives_being_written() -> None:
    cursor = Cursor(groups=(Group(5, (1, 2)), Group(7, (3,))), at=1, next_page="t", until=9, reach=11, known=12, base=5)
    assert read_cursor(cursor.text()) == cursor
    assert read_cursor("") == Cursor()


def test_a_query_never_passes_512_characters() -> None:
    full = Group(0, conversations(PER_GROUP, start=9_000_000_000_000_000_000))
    for at in (0, 1):
        query = query_of("a" * 15, Cursor(groups=(full, full), at=at))
        assert len(query) <= 512
        assert query.count("conversation_id:") == PER_GROUP


def test_since_moves_only_after_the_last_page() -> None:
    first, more = Cursor().turned((9, 8), next_page="next", learnt=())
    assert more
    assert (first.group.since, first.until, first.next_page, first.reach) == (0, 8, "next", 9)
    last, more = first.turned((7,), next_page="", learnt=())
    assert not more
    assert (last.group.since, last.until, last.next_page, last.reach) == (9, 0, "", None)


def test_an_empty_page_with_a_token_goes_on() -> None:
    first, more = Cursor().turned((9,), next_page="next", learnt=())
    second, more = first.turned((), next_page="further", learnt=())
    assert more
    assert (second.until, second.next_page) == (9, "further")


def test_learnt_conversations_are_read_from_where_the_cycle_began_then_joined() -> None:
    cursor = Cursor(groups=(Group(100),), base=100, known=100)
    cursor, more = cursor.turned((120, 110), next_page="", learnt=(105,))
    assert more
    assert cursor.group == Group(100, (105,))
    cursor, more = cursor.turned((), next_page="", learnt=())
    assert not more
    assert cursor.groups == (Group(120, (105,)),)
    assert cursor.base == 120


def test_only_the_newest_conversations_are_kept() -> None:
    cursor, _ = Cursor().turned((), next_page="", learnt=conversations(MOST_CONVERSATIONS + 5))
    held = {found for group in cursor.groups for found in group.conversations}
    assert held == set(conversations(MOST_CONVERSATIONS, start=FIRST + 5))
    assert all(len(group.conversations) <= PER_GROUP for group in cursor.groups)


def test_too_many_groups_are_joined_at_the_lowest_place() -> None:
    groups = (Group(500), *(Group(100 + place, (FIRST + place,)) for place in range(MOST_GROUPS)))
    cursor = Cursor(groups=groups, at=MOST_GROUPS, known=0)
    cursor, more = cursor.turned((), next_page="", learnt=())
    assert not more
    assert cursor.groups == (Group(500), Group(100, tuple(sorted(conversations(MOST_GROUPS), reverse=True))))


def test_groups_at_different_places_stay_apart() -> None:
    cursor = Cursor(groups=(Group(500), Group(100, (FIRST,))), at=1, known=200)
    cursor, _ = cursor.turned((), next_page="", learnt=())
    assert cursor.groups == (Group(500), Group(200, (FIRST,)))
