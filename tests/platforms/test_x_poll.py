"""Polling X: nothing lost over crashes between pages, edits, deletions, conversations of others, a week's silence, reads."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderator.domain.errors import Gone
from moderator.domain.item import ItemKind, SeenComment
from moderator.platforms.practice import SCHOOL_HANDLE, Running
from moderator.platforms.practice.ids import first_id_at, now_ms
from moderator.platforms.x import XPlatform

PollAll = Callable[..., list[SeenComment]]
DAY_MS = 24 * 3_600_000


def by_id(found: list[SeenComment]) -> dict[str, SeenComment]:
    return {comment.comment_id: comment for comment in found}


def test_a_nested_reply_is_found_though_it_is_to_somebody_else(x: XPlatform, people: Any, poll_all: PollAll) -> None:
    root = people.school_post()
    reply = people.comment("First", under=root)
    nested = people.comment("To you, not the school", under=reply, handle="other_one")
    deeper = people.comment("And back", under=nested)
    found = by_id(poll_all(x, {}))
    assert {str(reply), str(nested), str(deeper)} <= set(found)
    assert [post.id for post in found[str(deeper)].thread] == [str(root), str(reply), str(nested)]
    assert found[str(nested)].hideable


def test_a_nested_reply_older_than_the_newest_reply_is_not_skipped(x: XPlatform, people: Any, poll_all: PollAll) -> None:
    cursors: dict[str, str] = {}
    poll_all(x, cursors)
    root = people.school_post()
    reply = people.comment("First", under=root)
    nested = people.comment("Under the first", under=reply, handle="other_one")
    newer = people.comment("Elsewhere, later", under=root, handle="third_one")
    assert {str(reply), str(nested), str(newer)} <= set(by_id(poll_all(x, cursors)))
    late = people.comment("Much later", under=nested, handle="third_one")
    assert set(by_id(poll_all(x, cursors))) == {str(late)}


def test_a_reply_in_somebody_elses_conversation_cannot_be_hidden(x: XPlatform, people: Any, poll_all: PollAll) -> None:
    theirs = people.post("My own post, nothing to do with school")
    ours = people.comment("Thank you for the kind words", under=theirs, handle=SCHOOL_HANDLE)
    to_us = people.comment("You are welcome", under=ours)
    naming = people.comment(f"What does @{SCHOOL_HANDLE} think?", under=theirs, handle="other_one")
    found = by_id(poll_all(x, {}))
    assert found[str(to_us)].kind is ItemKind.REPLY
    assert not found[str(to_us)].hideable
    assert not found[str(naming)].hideable
    assert str(ours) not in found
    assert str(theirs) not in found


def test_a_deep_mention_in_our_conversation_can_be_hidden(x: XPlatform, people: Any) -> None:
    root = people.school_post()
    reply = people.comment("First", under=root)
    deep = people.comment(f"Look at this @{SCHOOL_HANDLE}", under=reply, handle="other_one")
    page = x.poll("mentions", "", limit=15)
    found = by_id(list(page.comments))
    assert found[str(deep)].hideable
    assert [post.id for post in found[str(deep)].thread] == [str(root), str(reply)]
    assert page.reads == len(json.loads(page.body)["data"]) + 1 + 1  # the parent included, the conversation's first post looked up


def test_a_conversation_whose_first_post_is_deleted_cannot_be_hidden_in(x: XPlatform, people: Any, poll_all: PollAll) -> None:
    theirs = people.post("Soon gone")
    middle = people.comment("Between", under=theirs, handle="other_one")
    naming = people.comment(f"Over to @{SCHOOL_HANDLE}", under=middle)
    people.do("delete", id=theirs)
    comment = by_id(poll_all(x, {}))[str(naming)]
    assert not comment.hideable
    assert [post.id for post in comment.thread] == [str(middle)]


def test_an_edited_comment_comes_again_as_a_new_version(x: XPlatform, people: Any, poll_all: PollAll) -> None:
    cursors: dict[str, str] = {}
    old = people.comment("Frist!", under=people.school_post())
    first = by_id(poll_all(x, cursors))[str(old)]
    new = int(people.do("edit", id=old, text="First!")["id"])
    second = by_id(poll_all(x, cursors))[str(new)]
    assert not first.edited
    assert second.edited
    assert second.text == "First!"
    assert first.version != second.version
    assert x.fetch(str(old)).comment.text == "Frist!"
    assert x.fetch(str(old)).comment.edited
    assert x.set_hidden(str(new), hidden=True)
    assert people.network.existing(old).hidden


def test_a_deleted_comment_is_gone(x: XPlatform, people: Any) -> None:
    comment = people.comment("Oh no", under=people.school_post())
    people.do("delete", id=comment)
    with pytest.raises(Gone):
        x.fetch(str(comment))
    with pytest.raises(Gone):
        x.set_hidden(str(comment), hidden=True)


def test_a_post_of_25000_characters_keeps_every_one(x: XPlatform, people: Any, poll_all: PollAll) -> None:
    text = "<b>It's & \u202b\u05e9\u05dc\u05d5\u05dd\u202c 👩\u200d🏫</b> " * 900
    text = (text + "é" * 25_000)[:25_000]
    comment = people.comment(text, under=people.school_post())
    assert by_id(poll_all(x, {}))[str(comment)].text == text
    assert x.fetch(str(comment)).comment.text == text


@pytest.mark.parametrize(
    "text", ["👏" * 280, "مرحبا بالعالم", "a\u200bb\u200dc", "&amp;lt; &lt;script&gt;", "line\nline\r\n\ttab", " lead", "\ud83d half"]
)
def test_a_text_comes_as_it_was_written(x: XPlatform, people: Any, poll_all: PollAll, text: str) -> None:
    comment = people.comment(text, under=people.school_post())
    assert by_id(poll_all(x, {}))[str(comment)].text == text.replace("\ud83d", "\ufffd")


def test_a_search_that_is_too_old_starts_again_with_the_last_seven_days(x: XPlatform, people: Any, poll_all: PollAll) -> None:
    cursors: dict[str, str] = {}
    poll_all(x, cursors)
    table = json.loads(cursors["replies"])
    for group in table["groups"]:
        group["since"] = first_id_at(now_ms() - 30 * DAY_MS)
    table["known"] = table["base"] = table["groups"][0]["since"]
    cursors["replies"] = json.dumps(table)
    comment = people.comment("Back after a month", under=people.school_post())
    assert str(comment) in by_id(poll_all(x, cursors))
    assert poll_all(x, cursors) == []


@pytest.mark.parametrize("source", ["mentions", "replies"])
def test_a_page_token_that_x_has_forgotten_costs_nothing(x: XPlatform, people: Any, source: str) -> None:
    root = people.school_post()
    wanted = {str(people.comment(f"@{SCHOOL_HANDLE} {number}", under=root)) for number in range(25)}
    page = x.poll(source, "", limit=x.smallest_page(source))
    found = by_id(list(page.comments))
    assert page.more
    while page.more:
        table = json.loads(page.cursor)
        table["next_page"] = table["next_page"] and "aged"
        page = x.poll(source, json.dumps(table), limit=x.smallest_page(source))
        found |= by_id(list(page.comments))
    assert wanted <= set(found)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_crash_between_pages_loses_nothing(connect: Callable[..., XPlatform], small: Running, people: Any, seed: int) -> None:
    """Each poll may be lost before its cursor is stored; comments arrive in between; page sizes vary. At the end all are stored."""
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    platform = connect(small)
    cursors: dict[str, str] = {}
    stored: set[str] = set()
    roots = [people.school_post()]
    comments: list[int] = []

    def arrive(most: int) -> None:
        for _ in range(dice.randrange(most)):
            if dice.random() < 0.15:
                roots.append(people.school_post())
            under = dice.choice(comments) if comments and dice.random() < 0.4 else dice.choice(roots)
            comments.append(people.comment("Another one", under=under, handle=f"p{dice.randrange(9)}"))

    def turn(crashes: float) -> bool:
        more = False
        for source in platform.sources:
            limit = dice.randint(platform.smallest_page(source), 120)
            page = platform.poll(source, cursors.get(source, ""), limit=limit)
            assert page.reads <= limit
            killed = dice.random() < crashes  # before the transaction: neither comments nor cursor are stored
            if not killed:
                stored.update(comment.comment_id for comment in page.comments)
                cursors[source] = page.cursor
            more = more or killed or page.more
        return more

    arrive(30)
    for _ in range(15):
        arrive(6)
        turn(0.3)
    for _ in range(2):  # the cycle that was going on, and one more for what came behind it
        while turn(0.3):
            pass
    assert {str(comment) for comment in comments} <= stored


def test_many_conversations_are_all_followed(x: XPlatform, people: Any, poll_all: PollAll) -> None:
    roots = [people.school_post(f"Post {number}") for number in range(70)]
    cursors: dict[str, str] = {}
    replies = [people.comment("Direct", under=root) for root in roots]
    assert {str(reply) for reply in replies} <= set(by_id(poll_all(x, cursors)))
    nested = [people.comment("Nested", under=reply, handle="other_one") for reply in replies]
    found = by_id(poll_all(x, cursors))
    assert {str(one) for one in nested[-60:]} <= set(found)
    assert len(json.loads(cursors["replies"])["groups"]) <= 8
