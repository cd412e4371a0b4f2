"""What people read: the day's counts, lists and words."""

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.calendar import Span
from moderator.domain.decision import Severity
from moderator.domain.errors import Refused
from moderator.domain.item import Author, MediaCount, Post
from moderator.domain.lifecycle import State
from moderator.domain.review import Review, Verdict
from moderator.domain.score import Guard, GuardHit, Label, PersonKind, PersonSpan, PiiSpan, Reason, Score
from moderator.domain.times import london_day
from moderator.steps.review import review
from moderator.store import codec, listed, queue, today
from moderator.store.items import ITEMS


def full_day(stage: Stage) -> None:
    stage.platform.comments += [
        comment(10),
        comment(11, "You are an idiot"),
        comment(12, "disclosure"),
        comment(13, "indecent_image"),
        comment(14, "I will hurt you"),
    ]
    stage.run("poll", "score", "decide", "record", "hide")


def test_the_days_counts(any_stage: Stage) -> None:
    full_day(any_stage)
    review(any_stage.tools, Review(2, Verdict.RESTORE, "HEAD-1", "It is a joke between friends.", any_stage.clock.now()))
    any_stage.run("restore")
    review(any_stage.tools, Review(5, Verdict.UPHOLD, "HEAD-1", "It is a plain threat.", any_stage.clock.now()))
    with any_stage.database.reading() as connection:
        counts = today.counts(connection, SCHOOL.slug, *london_day(NOON.date()))
        totals = today.totals(connection)
    assert (counts.seen, counts.cleared, counts.flagged, counts.recorded) == (5, 1, 4, 3)
    assert (counts.hidden, counts.routed, counts.withheld, counts.restored, counts.upheld) == (2, 1, 1, 1, 1)
    assert counts.waiting_for_decision == 2
    assert totals == {"polled": 5, "cleared": 1, "flagged": 3, "routed": 1, "withheld": 1, "held": 0}


def test_the_list_is_severe_first_and_holds_no_text(any_stage: Stage) -> None:
    full_day(any_stage)
    with any_stage.database.reading() as connection:
        waiting = today.needing_review(connection, SCHOOL.slug, limit=10)
        rest = today.needing_review(connection, SCHOOL.slug, limit=10, after=3)
        listed = queue.flagged_on(connection, SCHOOL.slug, NOON.date(), seen=sa.true(), limit=10)
    assert [row.severity for row in waiting] == [Severity.SEVERE] * 3 + [Severity.ORDINARY]
    assert [row.id for row in rest] == [2]
    assert len(listed) == 4
    assert "idiot" not in str(waiting)
    assert waiting[0].subject.startswith("R-")
    assert waiting[1].subject == "item 4"


def test_where_an_item_stands_in_plain_words(stage: Stage) -> None:
    full_day(stage)
    stage.platform.comments.append(comment(15, "idiot two"))
    stage.database.poll_now()
    stage.run("poll", "score", "decide", "record")
    stage.platform.failures.append(Refused("403"))
    stage.run("hide")
    with stage.database.reading() as connection:
        rows = {row.id: row for row in today.needing_review(connection, SCHOOL.slug, limit=10)}
    assert listed.state_words(rows[6]) == "Waiting for you: the service could not finish"
    assert listed.state_words(rows[2]) == "Recorded, then hidden"
    assert listed.state_words(replace(rows[2], state=State.SEEN)) == "seen"
    assert [listed.outcome_words(rows[number]) for number in (2, 3, 4)] == ["Hide", "For a person, never hidden", "Police only"]


def test_a_digest_counts_what_it_does_not_list(stage: Stage) -> None:
    stage.platform.comments += [comment(number, f"idiot {number}") for number in range(100, 130)]
    stage.run("poll", "score", "decide", "record", "hide")
    digest = stage.database.digest_of(SCHOOL, Span.of(NOON.date()), link="https://review.example")
    assert (len(digest.needs_you), digest.more_needing_you) == (10, 20)
    assert (digest.done, digest.more_done) == ((), 0)
    assert digest.needs_you[0].link == "https://review.example/items/1"
    for number in range(1, 28):
        review(stage.tools, Review(number, Verdict.UPHOLD, "HEAD-1", "It is plainly abuse.", stage.clock.now()))
    digest = stage.database.digest_of(SCHOOL, Span.of(NOON.date()), link="https://review.example")
    assert (len(digest.needs_you), digest.more_needing_you) == (3, 0)
    assert (len(digest.done), digest.more_done) == (10, 17)
    assert digest.accounts[0].mode == "hide"


def test_an_account_without_approval_is_shown_as_such(stage: Stage) -> None:
    with stage.database.reading() as connection:
        lines = today.account_lines(connection, SCHOOL.slug, NOON + timedelta(days=900))
        assert today.account_lines(connection, "elsewhere", NOON) == ()
    assert lines[0].mode == "not approved"


def test_an_items_history_is_told_in_order(stage: Stage) -> None:
    full_day(stage)
    with stage.database.reading() as connection:
        told = [line.what for line in today.history(connection, stage.database.work(2))]
        withheld = [line.what for line in today.history(connection, stage.database.work(4))]
    assert told == ["flagged", "alerted", "captured", "sealed", "hide_intended", "hidden", "hide_verified"]
    assert withheld == ["withheld", "alerted"]


def test_scores_and_comments_survive_the_database(stage: Stage) -> None:
    score = Score(
        labels=dict.fromkeys(Label, 0.25),
        model="m-1",
        people=(PersonSpan(0, 5, "Tilly", PersonKind.PUPIL, "roll", "P-1", strong=False),),
        pii=(PiiSpan(1, 2, "phone"),),
        guards=(GuardHit(Guard.CRISIS, 0, 2, "It reads as a crisis."),),
        reasons=(Reason("abusive", 0, 3, "It insults."),),
        normalised="tilly",
    )
    assert codec.score_from(codec.score_text(score)) == score
    odd = comment(
        1,
        "nul \0 and lone \ud800",
        media=(MediaCount("photo", 2),),
        thread=(Post("9", Author("1", "a", "A"), "parent"), Post("10", Author("1", "a", "A"), "later", NOON)),
    )
    stage.platform.comments.append(odd)
    stage.run("poll")
    with stage.database.reading() as connection:
        row = connection.execute(sa.select(ITEMS)).mappings().one()
        found = codec.comment_from(row)
    assert found.text == "nul \ufffd and lone \ufffd\ufffd\ufffd"
    assert (found.media, found.thread) == (odd.media, odd.thread)
