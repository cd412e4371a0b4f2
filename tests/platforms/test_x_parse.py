"""X's JSON read piece by piece: odd shapes, both sets of names, texts no database can hold."""

from datetime import UTC, datetime

import pytest

from moderator.domain.errors import Transient
from moderator.domain.item import ItemKind, MediaCount
from moderator.platforms.base import storable
from moderator.platforms.x import parse


def test_both_sets_of_names_read_alike() -> None:
    old = {"id": "7", "text": "x", "referenced_tweets": [{"type": "replied_to", "id": "3"}], "note_tweet": {"text": "long"}}
    new = {"id": "7", "text": "x", "referenced_posts": [{"type": "replied_to", "id": "3"}], "note_post": {"text": "long"}}
    assert parse.text_of(old) == parse.text_of(new) == "long"
    assert parse.parent_of(old) == parse.parent_of(new) == 3


def test_a_bare_share_is_not_a_comment() -> None:
    for kind in ("retweeted", "reposted"):
        assert not parse.is_item({"id": "1", "author_id": "2", "referenced_tweets": [{"type": kind, "id": "3"}]}, "9")
    assert parse.is_item({"id": "1", "author_id": "2"}, "9")
    assert not parse.is_item({"id": "1", "author_id": "9"}, "9")


def test_a_reply_that_also_quotes_is_a_reply() -> None:
    post = {"id": "1", "referenced_tweets": [{"type": "quoted", "id": "2"}, {"type": "replied_to", "id": "3"}]}
    assert parse.kind_of(post) is ItemKind.REPLY


def test_a_missing_time_is_read_from_the_id() -> None:
    expected = datetime(2022, 9, 29, 12, 0, 0, 123000, tzinfo=UTC)
    post_id = str((int(expected.timestamp() * 1000) - parse.X_EPOCH_MS) << 22)
    for stated in (None, "yesterday", 5):
        assert parse.posted_at({"id": post_id, "created_at": stated}) == expected
    assert parse.posted_at({"id": "1", "created_at": "2022-09-29T13:00:00.123+01:00"}) == expected


def test_only_xs_three_escapes_are_undone() -> None:
    assert parse.text_of({"text": "&amp;lt; &lt;b&gt; &eacute; &amp;amp; &quot;"}) == "&lt; <b> &eacute; &amp; &quot;"


def test_text_that_no_database_can_hold_is_mended() -> None:
    assert storable("a\0b\ud83dc\ude00d\U0001f600") == "a\ufffdb\ufffdc\ufffdd\U0001f600"


def test_media_whose_kind_x_left_out_are_still_counted() -> None:
    known = parse.Known()
    post = {"id": "1", "text": "x", "attachments": {"media_keys": ["3_1", "3_2"]}}
    known.add({"data": post, "includes": {"media": [{"media_key": "3_1", "type": "photo"}]}})
    media = parse.comment_of(post, known, site_url="https://x.com", own=None).media
    assert media == (MediaCount("media", 1), MediaCount("photo", 1))


def test_a_thread_that_runs_in_a_ring_ends() -> None:
    ring = [
        {"id": "1", "text": "a", "conversation_id": "1", "referenced_tweets": [{"type": "replied_to", "id": "2"}]},
        {"id": "2", "text": "b", "conversation_id": "1", "referenced_tweets": [{"type": "replied_to", "id": "1"}]},
    ]
    known = parse.Known()
    known.add({"data": ring})
    assert [post.id for post in parse.comment_of(ring[0], known, site_url="", own=True).thread] == ["2"]


@pytest.mark.parametrize(
    "answer",
    [{}, {"data": None}, {"data": "x"}, {"data": [7]}, {"includes": [], "meta": 3}, {"meta": {"next_token": 5}}, {"errors": "x"}],
)
def test_odd_shapes_are_empty_not_errors(answer: dict[str, object]) -> None:
    known = parse.Known()
    known.add(answer)
    assert parse.data_of(answer) == []
    assert parse.billed(answer) == 0
    assert parse.next_token(answer) == ""
    assert parse.problems(answer) == []


@pytest.mark.parametrize("value", [None, 5, "", "x", "\u0665", "-1"])
def test_half_a_post_does_not_pass_for_a_whole_one(value: object) -> None:
    with pytest.raises(Transient, match="usable id"):
        parse.id_of({"id": value})


def test_who_began_a_conversation_is_not_guessed() -> None:
    known = parse.Known()
    reply = {"id": "5", "conversation_id": "1", "referenced_tweets": [{"type": "replied_to", "id": "1"}]}
    assert parse.root_author(reply, known) is None
    assert parse.root_author(reply | {"in_reply_to_user_id": "9"}, known) == "9"
    assert parse.root_author(reply | {"in_reply_to_user_id": "9", "conversation_id": "2"}, known) is None
    assert parse.root_author({"id": "5"}, known) is None
