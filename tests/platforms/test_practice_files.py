"""What a practice network is filled with, and that it keeps it: files of comments, state over restarts and kills, a quick load."""

import json
import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from moderator.domain.errors import BadInput
from moderator.platforms.practice import SCHOOL_ID, PracticeNetwork
from moderator.platforms.practice.comments import Comment, read_comments


def texts(network: PracticeNetwork) -> list[str]:
    return [str(row[0]) for row in network.state.rows("SELECT text FROM posts WHERE author_id != ? ORDER BY id", [SCHOOL_ID])]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_plain_text_is_one_comment_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "c.txt", "\ufeffOne\r\n\n  Two, with \u2028 in it\n\tThree")
    assert [comment.text for comment in read_comments(path)] == ["One", "  Two, with \u2028 in it", "\tThree"]


def test_csv_takes_the_text_column(tmp_path: Path) -> None:
    path = write(tmp_path / "c.CSV", 'id,text,source\n1,"Two\nlines, ""quoted""",x\n2,,y\n3,Plain\n')
    assert [comment.text for comment in read_comments(path)] == ['Two\nlines, "quoted"', "Plain"]


def test_jsonl_may_say_what_a_comment_is(tmp_path: Path) -> None:
    lines = [{"text": "a"}, {"text": "b", "kind": "mention", "media": ["photo", "hologram"]}, {"text": "half \ud83d", "kind": "odd"}]
    path = write(tmp_path / "c.jsonl", "\n\n".join(json.dumps(line) for line in lines))
    assert read_comments(path) == [Comment("a"), Comment("b", "mention", ("photo",)), Comment("half \ufffd")]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("c.csv", "id,words\n1,x\n", "column text"),
        ("c.csv", "", "column text"),
        ("c.csv", "text\n" + "x" * 200_000, "line 2: is not CSV"),
        ("c.jsonl", '{"text": "a"}\n[1]\n', "line 2"),
        ("c.jsonl", '{"text": 5}\n', "line 1"),
        ("c.jsonl", "[" * 100_000, "line 1"),
        ("c.txt", b"caf\xe9\n", "UTF-8"),
        ("c.txt", "\n \n", "no comments"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, content: str | bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_comments(write(tmp_path / name, content))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        PracticeNetwork(comments=tmp_path / "absent.txt")


def test_a_state_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be used"):
        PracticeNetwork(state=write(tmp_path / "state.db", "not a database" * 100))
    with pytest.raises(BadInput, match="cannot be used"):
        PracticeNetwork(state=tmp_path / "absent" / "state.db")


def test_a_log_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        PracticeNetwork(log=tmp_path)


def test_the_built_in_comments_are_loaded_once(tmp_path: Path) -> None:
    first = PracticeNetwork(state=tmp_path / "state.db")
    assert first.added == len(texts(first)) == 40
    first.close()
    second = PracticeNetwork(state=tmp_path / "state.db")
    assert second.added == 0
    assert len(texts(second)) == 40
    second.close()


def test_a_file_is_loaded_once_and_another_adds_newer_comments(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.txt", "a\nb\n"), write(tmp_path / "two.txt", "c\n")
    state = tmp_path / "state.db"
    for comments, added in ((one, 2), (one, 0), (two, 1), (one, 0)):
        network = PracticeNetwork(state=state, comments=comments)
        assert network.added == added
        assert texts(network) == ["a", "b", "c"][: len(texts(network))]
        network.close()


def test_a_state_that_holds_a_file_does_not_get_the_built_in_comments_too(tmp_path: Path) -> None:
    PracticeNetwork(state=tmp_path / "state.db", comments=write(tmp_path / "one.txt", "a\n")).close()
    network = PracticeNetwork(state=tmp_path / "state.db")
    assert texts(network) == ["a"]
    network.close()


def test_comments_may_come_through_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: write(pipe, "a\nb\n"))
    writer.start()
    network = PracticeNetwork(comments=pipe)
    writer.join()
    assert texts(network) == ["a", "b"]
    network.close()


def test_a_load_into_a_state_in_use_comes_after_what_was_written_by_hand(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    network = PracticeNetwork(state=state, comments=write(tmp_path / "one.txt", "a\n"))
    by_hand = network.write("by hand", handle="kit")
    network.close()
    network = PracticeNetwork(state=state, comments=write(tmp_path / "two.txt", "b\nc\n"))
    assert texts(network) == ["a", "by hand", "b", "c"]
    assert network.write("later", handle="kit") > by_hand
    assert texts(network)[-1] == "later"
    network.close()


def test_sixty_thousand_comments_load_quickly(tmp_path: Path) -> None:
    path = write(tmp_path / "many.txt", "".join(f"Comment number {number}\n" for number in range(60_000)))
    start = time.monotonic()
    network = PracticeNetwork(state=tmp_path / "state.db", comments=path)
    assert time.monotonic() - start < 20  # about two seconds on an idle machine
    assert network.added == 60_000
    counts = network.state.rows("SELECT count(*), count(DISTINCT id), sum(names_school), sum(parent_id IS NOT NULL) FROM posts")
    assert counts == [(60_024, 60_024, 400, 59_600)]
    network.close()


def fail_half_way(network: PracticeNetwork) -> None:
    with network.state.change() as db:
        db.execute("DELETE FROM posts")
        db.execute("INSERT INTO people VALUES (1, 'oakfieldprimary', 'twice')")


def test_a_change_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    network = PracticeNetwork(state=tmp_path / "state.db")
    before = len(texts(network))
    with pytest.raises(sqlite3.IntegrityError):
        fail_half_way(network)
    assert len(texts(network)) == before
    network.close()


def test_what_people_type_is_checked() -> None:
    network = PracticeNetwork()
    for text, handle in (("", "kit"), ("x" * 25_001, "kit"), ("fine", "k t"), ("fine", "a" * 16)):
        with pytest.raises(BadInput):
            network.write(text, handle=handle)
    old = network.write("one", handle="@kit", name=" Kit ")
    network.edit(old, "two")
    with pytest.raises(BadInput, match="newer version"):
        network.edit(old, "three")
    assert network.existing(old).name == "Kit"
    network.close()
    network.close()
