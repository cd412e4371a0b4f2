"""What every adapter must do, whatever the platform. A new adapter joins by a `platform` fixture of its own."""

import json
from collections.abc import Callable
from datetime import UTC

import pytest

from moderator import ports
from moderator.domain.errors import BadInput, Gone
from moderator.domain.item import ItemKind, SeenComment
from moderator.platforms.practice import SCHOOL_ID, Running

PollAll = Callable[..., list[SeenComment]]


@pytest.fixture
def platform(net: Running, connect: Callable[[Running], ports.Platform]) -> ports.Platform:
    return connect(net)


def expected(net: Running) -> dict[str, str]:
    rows = net.network.state.rows("SELECT id, text FROM posts WHERE author_id != ?", [SCHOOL_ID])
    return {str(row[0]): str(row[1]) for row in rows}


def test_every_comment_is_found_with_its_exact_text(platform: ports.Platform, net: Running, poll_all: PollAll) -> None:
    found = {comment.comment_id: comment.text for comment in poll_all(platform, {})}
    assert found == expected(net)


def test_smallest_pages_find_the_same(platform: ports.Platform, net: Running) -> None:
    for source in platform.sources:
        assert platform.smallest_page(source) > 0
    found: set[str] = set()
    for source in platform.sources:
        cursor, more, limit = "", True, platform.smallest_page(source)
        while more:
            page = platform.poll(source, cursor, limit=limit)
            assert 0 <= page.reads <= limit
            found.update(comment.comment_id for comment in page.comments)
            cursor, more = page.cursor, page.more
    assert found == set(expected(net))


def test_nothing_new_is_nothing_found_and_nothing_billed(platform: ports.Platform, poll_all: PollAll) -> None:
    cursors: dict[str, str] = {}
    poll_all(platform, cursors)
    assert poll_all(platform, cursors) == []
    assert all(platform.poll(source, cursors[source], limit=300).reads == 0 for source in platform.sources)


def test_a_poll_may_be_repeated_with_the_same_cursor(platform: ports.Platform) -> None:
    first = platform.poll("replies", "", limit=30)
    again = platform.poll("replies", "", limit=30)
    assert first.more
    assert [comment.comment_id for comment in first.comments] == [comment.comment_id for comment in again.comments]


def test_a_limit_below_the_smallest_page_is_refused(platform: ports.Platform) -> None:
    for source in platform.sources:
        with pytest.raises(BadInput, match="needs room"):
            platform.poll(source, "", limit=platform.smallest_page(source) - 1)


def test_a_cursor_of_another_kind_is_refused(platform: ports.Platform) -> None:
    for text in ("nonsense", "[]", '{"groups": []}', '{"v": 1}'):
        with pytest.raises(BadInput, match="cannot be read"):
            platform.poll("replies", text, limit=300)


def test_an_unknown_source_is_refused(platform: ports.Platform) -> None:
    with pytest.raises(BadInput, match="no source"):
        platform.smallest_page("likes")


def test_a_page_carries_the_exact_bytes_and_no_token(platform: ports.Platform) -> None:
    page = platform.poll("replies", "", limit=300)
    table = json.loads(page.body)
    assert {row["id"] for row in table["data"]} >= {comment.comment_id for comment in page.comments}
    assert page.status == 200
    assert page.request_id
    assert page.headers["content-type"] == "application/json"
    assert not [name for name in page.headers if "cookie" in name or "auth" in name]


def test_r13_every_comment_has_time_and_place(platform: ports.Platform, net: Running, poll_all: PollAll) -> None:
    for comment in poll_all(platform, {}):
        assert comment.posted_at.tzinfo is UTC
        assert comment.place == f"{net.url}/{comment.author.handle}/status/{comment.comment_id}"
        assert comment.author.name
        assert comment.author.id != str(SCHOOL_ID)


def test_r14_a_reply_comes_with_the_posts_above_it(platform: ports.Platform, poll_all: PollAll) -> None:
    replies = [comment for comment in poll_all(platform, {}) if comment.kind is ItemKind.REPLY]
    assert all(comment.thread and comment.thread[0].author.id == str(SCHOOL_ID) for comment in replies)
    nested = [comment for comment in replies if len(comment.thread) > 1]
    assert nested
    assert all(comment.thread[-1].author.id != str(SCHOOL_ID) for comment in nested)


def test_r18_media_are_counted(platform: ports.Platform, poll_all: PollAll) -> None:
    counts = [(media.kind, media.count) for comment in poll_all(platform, {}) for media in comment.media]
    assert sorted(counts) == [("photo", 1), ("photo", 2), ("video", 1)]


def test_only_replies_in_own_conversations_can_be_hidden(platform: ports.Platform, poll_all: PollAll) -> None:
    found = poll_all(platform, {})
    assert {comment.kind for comment in found} == {ItemKind.REPLY, ItemKind.MENTION, ItemKind.QUOTE}
    assert all(comment.hideable is (comment.kind is ItemKind.REPLY) for comment in found)


def test_r11_hide_and_unhide_read_back_and_repeat(platform: ports.Platform, net: Running, poll_all: PollAll) -> None:
    comment = next(comment for comment in poll_all(platform, {}) if comment.hideable)
    for hidden in (True, True, False, False):
        assert platform.set_hidden(comment.comment_id, hidden=hidden) is hidden
        assert net.network.existing(int(comment.comment_id)).hidden is hidden


def test_r12_the_platform_says_who_can_still_see_a_hidden_comment(platform: ports.Platform) -> None:
    assert platform.capabilities.can_hide
    assert "hidden replies" in platform.capabilities.visible_after_hide
    assert platform.capabilities.hides_per_window == 50


def test_fetch_gives_the_comment_as_it_was_polled(platform: ports.Platform, poll_all: PollAll) -> None:
    for comment in poll_all(platform, {})[:5]:
        fetched = platform.fetch(comment.comment_id)
        assert (fetched.comment.text, fetched.comment.author, fetched.comment.place) == (comment.text, comment.author, comment.place)
        assert fetched.reads in {1, 2}
        assert json.loads(fetched.body)["data"]["id"] == comment.comment_id
        assert fetched.request_id


def test_a_comment_that_never_was_is_gone(platform: ports.Platform) -> None:
    with pytest.raises(Gone):
        platform.fetch("12345")
    with pytest.raises(Gone):
        platform.set_hidden("12345", hidden=True)


def test_an_id_that_is_no_id_is_refused_before_any_request(platform: ports.Platform) -> None:
    for wrong in ("", "12/hidden", "1" * 20, "abc"):
        with pytest.raises(BadInput):
            platform.fetch(wrong)
        with pytest.raises(BadInput):
            platform.set_hidden(wrong, hidden=True)


def test_identity_is_the_account_that_authorised(platform: ports.Platform) -> None:
    assert platform.identity() == str(SCHOOL_ID)
