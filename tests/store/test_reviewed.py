"""What the service may learn from: the last verdict on what it would hide, and nothing of what was withheld or routed."""

import pytest
import sqlalchemy as sa
from stage import Stage, comment

from moderator.domain.review import Review, Verdict
from moderator.domain.reviewed import Reviewed
from moderator.steps.review import review
from moderator.store.items import ITEMS
from moderator.store.reviewed import reviewed

LINE = ("poll", "score", "decide", "record", "hide")


def decide(stage: Stage, item: int, verdict: Verdict) -> None:
    review(stage.tools, Review(item, verdict, "HEAD-1", "I read it and decided.", stage.clock.now()))
    stage.run("restore")


def read(stage: Stage) -> list[Reviewed]:
    with stage.database.reading() as connection:
        return reviewed(connection)


@pytest.fixture
def line(any_stage: Stage) -> Stage:
    texts = ("You are an idiot", "What an idiot I am, wrong day!", "disclosure: you idiot", "indecent_image", "Lovely", "idiot again")
    any_stage.platform.comments += [comment(number, text) for number, text in enumerate(texts, start=1)]
    any_stage.run(*LINE)
    return any_stage


def test_the_last_verdict_comes_with_text_score_decision_and_parent(line: Stage) -> None:
    decide(line, 1, Verdict.UPHOLD)
    decide(line, 2, Verdict.RESTORE)
    first, second = read(line)
    assert (first.item_id, first.text, first.verdict) == (1, "You are an idiot", Verdict.UPHOLD)
    assert (second.text, second.verdict, second.parent) == ("What an idiot I am, wrong day!", Verdict.RESTORE, "Our harvest assembly")
    assert first.score.model == "words-1"
    assert {reason.label for reason in first.decision.reasons} >= {"abusive"}
    assert first.school == "oakfield"
    decide(line, 1, Verdict.RESTORE)
    assert [(each.item_id, each.verdict) for each in read(line)] == [(2, Verdict.RESTORE), (1, Verdict.RESTORE)]


def test_r15_r17_what_is_routed_or_withheld_never_comes_out(line: Stage) -> None:
    assert line.states() == ["hidden", "hidden", "recorded", "withheld", "cleared", "hidden"]
    decide(line, 3, Verdict.UPHOLD)
    decide(line, 4, Verdict.UPHOLD)
    assert read(line) == []


def test_a_restore_that_is_not_carried_out_yet_is_no_verdict(line: Stage) -> None:
    review(line.tools, Review(6, Verdict.RESTORE, "HEAD-1", "I read it and decided.", line.clock.now()))
    assert read(line) == []
    line.run("restore")
    assert [each.item_id for each in read(line)] == [6]


def test_reading_changes_nothing(line: Stage) -> None:
    decide(line, 1, Verdict.UPHOLD)
    with line.database.reading() as connection:
        before = connection.execute(sa.select(ITEMS).order_by(ITEMS.c.id)).mappings().all()
        reviewed(connection)
        assert connection.execute(sa.select(ITEMS).order_by(ITEMS.c.id)).mappings().all() == before
