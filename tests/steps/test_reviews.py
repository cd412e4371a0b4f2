"""Reviews: uphold, restore, try again; every one with a justification, written in the ledger."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from stage import NOON, Stage, Woken, comment

from moderator.domain.errors import Gone, ModeratorError, NotAllowed, RateLimited, Refused, Transient, Unauthorised
from moderator.domain.lifecycle import Stage as Step
from moderator.domain.review import Review, Verdict
from moderator.steps.drain import LONGEST_WAIT, MAX_ATTEMPTS
from moderator.steps.review import review
from moderator.store import today
from moderator.store.outbox import ALERTS

WHY = "I read it and decided."


def decide(stage: Stage, verdict: Verdict, item: int = 1) -> None:
    review(stage.tools, Review(item, verdict, "HEAD-1", WHY, stage.clock.now()))


@pytest.fixture
def hidden(any_stage: Stage) -> Stage:
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run("poll", "score", "decide", "record", "hide")
    assert any_stage.states() == ["hidden"]
    return any_stage


def test_upholding_is_done_at_once_and_written_down(hidden: Stage) -> None:
    decide(hidden, Verdict.UPHOLD)
    assert hidden.rows("state", "needs_review") == [("upheld", False)]
    assert hidden.ledger_events()[-1] == "reviewed"
    with hidden.database.reading() as connection:
        last = today.history(connection, hidden.database.work(1))[-1]
    assert (last.what, last.actor, last.why) == ("uphold", "HEAD-1", WHY)


@pytest.mark.parametrize("upheld_first", [False, True])
def test_r11_restoring_un_hides_and_reads_back_first(hidden: Stage, upheld_first: bool) -> None:  # noqa: FBT001 - a parametrised case
    if upheld_first:
        decide(hidden, Verdict.UPHOLD)
    decide(hidden, Verdict.RESTORE)
    assert isinstance(hidden.tools.dispatcher, Woken)
    assert hidden.tools.dispatcher.steps == ["restore"]
    assert hidden.platform.hidden == {"11"}
    hidden.run("restore")
    assert hidden.platform.hidden == set()
    assert hidden.rows("state", "needs_review") == [("restored", False)]
    assert hidden.ledger_events()[-3:] == ["reviewed", "restore_intended", "restored"]


def test_r24_the_headteacher_is_told_of_a_restore(hidden: Stage) -> None:
    decide(hidden, Verdict.RESTORE)
    hidden.run("restore")
    with hidden.database.reading() as connection:
        kinds = list(connection.execute(sa.select(ALERTS.c.kind)).scalars())
    assert kinds[-1] == "restored"


def test_a_restored_comment_is_never_hidden_again_for_the_same_version(hidden: Stage) -> None:
    decide(hidden, Verdict.RESTORE)
    hidden.run("restore")
    hidden.platform.comments.append(hidden.platform.comments[0])
    hidden.database.poll_now()
    hidden.run("poll", "score", "decide", "record", "hide")
    assert hidden.states() == ["restored"]
    assert hidden.platform.hidden == set()
    hidden.platform.edit("11", "You are a complete idiot")
    hidden.database.poll_now()
    hidden.run("poll", "score", "decide", "record", "hide")
    assert hidden.states() == ["restored", "hidden"]


def test_restoring_what_was_never_hidden_calls_no_platform(any_stage: Stage) -> None:
    any_stage.platform.comments.append(comment(11, "You are an idiot", hideable=False))
    any_stage.run("poll", "score", "decide", "record")
    calls = len(any_stage.platform.calls)
    decide(any_stage, Verdict.RESTORE)
    any_stage.run("restore")
    assert any_stage.states() == ["restored"]
    assert len(any_stage.platform.calls) == calls


def test_a_restore_overtakes_a_hide_that_is_waiting(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide", "record")
    decide(stage, Verdict.RESTORE)
    stage.run("hide", "restore")
    assert stage.states() == ["restored"]
    assert stage.platform.hidden == set()


def test_a_restore_waits_while_a_hide_is_under_way_so_that_the_hide_cannot_land_last(any_stage: Stage) -> None:
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run("poll", "score", "decide", "record")
    lease = timedelta(minutes=20)
    assert any_stage.database.claim(Step.HIDE, limit=1, now=any_stage.clock.now(), lease=lease)
    with pytest.raises(NotAllowed, match="right now"):
        decide(any_stage, Verdict.RESTORE)
    any_stage.clock.move(lease)
    decide(any_stage, Verdict.RESTORE)
    any_stage.run("hide", "restore")
    assert any_stage.states() == ["restored"]
    assert any_stage.platform.hidden == set()


def test_two_reviews_at_once_are_refused(hidden: Stage) -> None:
    decide(hidden, Verdict.RESTORE)
    with pytest.raises(NotAllowed, match="Another review"):
        decide(hidden, Verdict.RESTORE)


def test_reviews_that_do_not_fit_are_refused(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide")
    with pytest.raises(NotAllowed, match="still working"):
        decide(stage, Verdict.UPHOLD)
    with pytest.raises(NotAllowed, match="cannot be restored"):
        decide(stage, Verdict.RESTORE)
    with pytest.raises(NotAllowed, match="not held"):
        decide(stage, Verdict.RETRY)
    assert stage.database.work(1).stage is not None


def test_an_item_that_changed_meanwhile_is_refused(hidden: Stage) -> None:
    asked = Review(1, Verdict.UPHOLD, "HEAD-1", WHY, NOON)
    from moderator.domain.lifecycle import State  # noqa: PLC0415 - for one call

    with pytest.raises(NotAllowed, match="has changed"), hidden.database.unit() as unit:
        unit.review_done(asked, State.RECORDED, State.UPHELD)


def test_a_withheld_item_can_only_be_noted(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "indecent_image"))
    stage.run("poll", "score", "decide", "record", "hide")
    decide(stage, Verdict.UPHOLD)
    assert stage.rows("state", "needs_review") == [("withheld", False)]
    assert not list((stage.folder / "vault").glob("oakfield/*/*"))


def test_a_held_item_can_be_tried_again(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide", "record")
    stage.platform.failures.append(Refused("403"))
    stage.run("hide")
    decide(stage, Verdict.RETRY)
    stage.run("hide")
    assert stage.states() == ["hidden"]


def test_a_restore_waits_for_the_platform(hidden: Stage) -> None:
    hidden.platform.failures += [RateLimited(hidden.clock.now() + timedelta(minutes=3)), Transient("timeout"), Unauthorised("401")]
    decide(hidden, Verdict.RESTORE)
    for _ in range(3):
        hidden.run("restore")
        assert hidden.states() == ["hidden"]
        hidden.clock.move(LONGEST_WAIT)
    hidden.run("restore")
    assert hidden.states() == ["hidden"]
    from moderator.store import people  # noqa: PLC0415 - for one call

    with hidden.database.unit() as unit:
        people.resume_account(unit.connection, hidden.account.id, hidden.clock.now())
    hidden.run("restore")
    assert hidden.states() == ["restored"]


def test_a_restore_of_a_deleted_comment_is_finished(hidden: Stage) -> None:
    decide(hidden, Verdict.RESTORE)
    hidden.platform.failures.append(Gone("404"))
    hidden.run("restore")
    assert hidden.states() == ["restored"]


@pytest.mark.parametrize("error", [Refused("403")])
def test_a_refused_restore_is_held_and_says_it_is_still_hidden(hidden: Stage, error: ModeratorError) -> None:
    decide(hidden, Verdict.RESTORE)
    hidden.platform.failures.append(error)
    hidden.run("restore")
    assert hidden.rows("state", "held_stage") == [("hidden", "restore")]
    with hidden.database.reading() as connection:
        assert "still hidden" in str(connection.execute(sa.select(ALERTS.c.done)).scalars().all()[-1])


def test_a_restore_that_is_not_confirmed_is_held_in_the_end(hidden: Stage) -> None:
    decide(hidden, Verdict.RESTORE)
    hidden.platform.believes_hidden = True
    for _ in range(MAX_ATTEMPTS):
        hidden.run("restore")
        hidden.clock.move(LONGEST_WAIT)
    assert hidden.rows("state", "held_stage") == [("hidden", "restore")]
