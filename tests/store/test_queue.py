"""The row as a queue: claims, leases, and losing one."""

from datetime import timedelta

import pytest
from stage import NOON, Stage, comment

from moderator.domain.errors import BadInput, LeaseLost, NotAllowed
from moderator.domain.lifecycle import Stage as Step
from moderator.domain.policy import decide

LEASE = timedelta(minutes=5)


@pytest.fixture
def waiting(any_stage: Stage) -> Stage:
    any_stage.platform.comments += [comment(number) for number in range(1, 8)]
    any_stage.run("poll")
    return any_stage


def claimed(stage: Stage, limit: int, *, later: timedelta = timedelta(minutes=1)) -> list[int]:
    return [work.item.id for work in stage.database.claim(Step.SCORE, limit=limit, now=NOON + later, lease=LEASE)]


def test_two_workers_never_have_the_same_item(waiting: Stage) -> None:
    first, second, third = claimed(waiting, 3), claimed(waiting, 3), claimed(waiting, 3)
    assert sorted(first + second + third) == [1, 2, 3, 4, 5, 6, 7]


def test_an_expired_lease_is_free_again(waiting: Stage) -> None:
    assert len(claimed(waiting, 10)) == 7
    assert claimed(waiting, 10) == []
    assert len(claimed(waiting, 10, later=timedelta(minutes=7))) == 7


def test_a_worker_whose_lease_ran_out_cannot_advance_the_item(waiting: Stage) -> None:
    slow = waiting.database.claim(Step.SCORE, limit=1, now=NOON + timedelta(minutes=1), lease=LEASE)
    waiting.database.claim(Step.SCORE, limit=1, now=NOON + timedelta(minutes=9), lease=LEASE)
    score = waiting.classifier.score(["x"])[0]
    with pytest.raises(LeaseLost), waiting.database.unit() as unit:
        unit.scored([(slow[0], score)], NOON)
    with pytest.raises(LeaseLost), waiting.database.unit() as unit:
        unit.put_back(slow[0], due_at=NOON, why="")


def test_releasing_leases_frees_what_a_dead_run_held(waiting: Stage) -> None:
    claimed(waiting, 10)
    waiting.database.release_leases()
    assert len(claimed(waiting, 10)) == 7


def test_an_item_advances_only_along_the_table(waiting: Stage) -> None:
    work = waiting.database.claim(Step.SCORE, limit=1, now=NOON + timedelta(minutes=1), lease=LEASE)[0]
    score = waiting.classifier.score(["x"])[0]
    with pytest.raises(NotAllowed), waiting.database.unit() as unit:
        unit.cleared([(work, decide(score, waiting.tools.policy))], NOON)


def test_what_is_not_there_is_said(waiting: Stage) -> None:
    with pytest.raises(BadInput, match="no item 99"):
        waiting.database.work(99)
    with pytest.raises(BadInput, match="no account 99"):
        waiting.database.account(99)
    with pytest.raises(BadInput, match="not kept"):
        waiting.database.first_seen(99)
    with pytest.raises(NotAllowed, match="no review"):
        waiting.database.pending_review(1)


def test_the_same_comment_is_stored_once_and_an_edit_is_a_new_version(waiting: Stage) -> None:
    waiting.platform.comments += [comment(1), comment(2, "Now edited")]
    waiting.database.poll_now()
    waiting.run("poll")
    assert len(waiting.rows("id")) == 8
