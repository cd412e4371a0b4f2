"""HR's advice and the target's wishes: what they hold up, what they never hold up, on both databases."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from packing import PaperPress, order_of, packs_on
from stage import SCHOOL, Stage, comment

from moderator.domain.errors import BadInput, NotAllowed, Refused
from moderator.domain.pack import Pack
from moderator.domain.review import Review, Verdict
from moderator.steps.advice import ask_advice, note_advice
from moderator.steps.export import export
from moderator.steps.review import review, uphold_together
from moderator.steps.wishes import note_wishes
from moderator.store import concerns, held
from moderator.store.items import ITEMS

WHY = "Looked at it with the deputy."
ASKED = "May this be an allegation?"


@pytest.fixture
def hidden(any_stage: Stage) -> Stage:
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run("poll", "score", "decide", "record", "hide")
    return any_stage


def decide(stage: Stage, verdict: Verdict) -> None:
    review(stage.tools, Review(1, verdict, "HEAD-1", WHY, stage.clock.now()))


def name_staff(stage: Stage, **more: object) -> None:
    with stage.database.unit() as unit:
        unit.connection.execute(sa.update(ITEMS).values(about=",staff,", **more))


def test_r22_nobody_judges_until_hr_has_answered(hidden: Stage) -> None:
    ask_advice(hidden.tools, 1, by="HEAD-1", why=ASKED)
    for verdict in (Verdict.UPHOLD, Verdict.RESTORE):
        with pytest.raises(NotAllowed, match="waits for HR"):
            decide(hidden, verdict)
    with pytest.raises(NotAllowed, match="waiting for HR"):
        uphold_together(hidden.tools, [Review(1, Verdict.UPHOLD, "HEAD-1", WHY, hidden.clock.now())])
    with pytest.raises(NotAllowed, match="asked already"):
        ask_advice(hidden.tools, 1, by="HEAD-1", why=ASKED)
    assert hidden.rows("state", "awaits_advice", "needs_review") == [("hidden", True, True)]
    note_advice(hidden.tools, 1, by="HEAD-1", advice="No case to answer here.")
    with pytest.raises(NotAllowed, match="Nobody waits"):
        note_advice(hidden.tools, 1, by="HEAD-1", advice="No case to answer here.")
    decide(hidden, Verdict.RESTORE)
    hidden.run("restore")
    assert hidden.states() == ["restored"]
    with hidden.database.reading() as connection:
        (told,) = concerns.advice_of(connection, 1)
    assert (told.why, told.asked_by, told.advice, told.received_by) == (ASKED, "HEAD-1", "No case to answer here.", "HEAD-1")
    assert hidden.ledger_events().count("registered") == 2


def test_r22_a_stopped_item_is_tried_again_while_hr_thinks(any_stage: Stage) -> None:
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run("poll", "score", "decide", "record")
    any_stage.platform.failures.append(Refused("403"))
    any_stage.run("hide")
    ask_advice(any_stage.tools, 1, by="HEAD-1", why=ASKED)
    decide(any_stage, Verdict.RETRY)
    any_stage.run("hide")
    assert any_stage.states() == ["hidden"]


def test_r23_the_targets_wishes_come_before_closing(hidden: Stage) -> None:
    name_staff(hidden)
    for verdict in (Verdict.UPHOLD, Verdict.RESTORE):
        with pytest.raises(NotAllowed, match="member of staff is the target"):
            decide(hidden, verdict)
    note_wishes(hidden.tools, 1, by="HEAD-1", wishes="He would rather forget it.", police="undecided")
    decide(hidden, Verdict.UPHOLD)
    assert hidden.states() == ["upheld"]


@pytest.mark.parametrize("exception", [{"safeguarding": True}, {"state": "withheld"}])
def test_r17_r23_child_protection_and_the_police_path_wait_for_no_wishes(hidden: Stage, exception: dict[str, object]) -> None:
    name_staff(hidden, **exception)
    assert not hidden.database.wishes_missing(1)
    decide(hidden, Verdict.UPHOLD)


def test_r23_a_police_pack_waits_for_the_targets_wishes_and_no_other_pack_does(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot, Tilly Marwood"))
    stage.run("poll", "score", "decide", "record", "hide")
    with stage.database.reading() as connection:
        (number,) = held.numbers(connection, SCHOOL.slug)
        record = held.find(connection, number)
    name_staff(stage)

    class NoKeys:
        def get(self, record_id: str) -> None:
            del record_id

    def make(pack: Pack) -> None:
        order = order_of(pack, record)
        export(stage.tools, order, packer=packs_on(stage.tools.vault, NoKeys(), PaperPress()), folder=stage.folder / "out")

    with pytest.raises(BadInput, match="their own decision"):
        make(Pack.POLICE)
    assert not (stage.folder / "out").exists()
    make(Pack.HR)
    note_wishes(stage.tools, 1, by="HEAD-1", wishes="She goes to the police.", police="yes")
    stage.clock.move(timedelta(minutes=2))
    make(Pack.POLICE)
    assert len(list((stage.folder / "out").iterdir())) == 2


def test_what_says_too_little_is_refused(hidden: Stage) -> None:
    tools = hidden.tools
    with pytest.raises(BadInput, match="Say what you ask HR"):
        ask_advice(tools, 1, by="HEAD-1", why="why")
    with pytest.raises(BadInput, match="Say what HR advised"):
        note_advice(tools, 1, by="HEAD-1", advice="ok")
    with pytest.raises(BadInput, match="Say what they wish"):
        note_wishes(tools, 1, by="HEAD-1", wishes="none", police="no")
    with pytest.raises(BadInput, match="about the police"):
        note_wishes(tools, 1, by="HEAD-1", wishes="She was not there.", police="")
    with pytest.raises(BadInput, match="Tick at least one"):
        uphold_together(tools, [])


def test_r17_a_withheld_comment_is_not_one_for_hr(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "indecent_image"))
    stage.run("poll", "score", "decide")
    with pytest.raises(NotAllowed, match="police alone"):
        ask_advice(stage.tools, 1, by="HEAD-1", why=ASKED)


def test_r30_what_people_wrote_goes_with_a_disposed_record(hidden: Stage) -> None:
    name_staff(hidden)
    ask_advice(hidden.tools, 1, by="HEAD-1", why=ASKED)
    note_advice(hidden.tools, 1, by="HEAD-1", advice="No case to answer here.")
    note_wishes(hidden.tools, 1, by="HEAD-1", wishes="He would rather forget it.", police="no")
    record = hidden.rows("record_id")[0][0]
    with hidden.database.unit() as unit:
        unit.forget(str(record))
    with hidden.database.reading() as connection:
        (told,) = concerns.advice_of(connection, 1)
        (wish,) = concerns.wishes_of(connection, 1)
    assert {told.why, told.advice, wish.wishes} == {"Removed when the record was disposed of."}
    assert told.asked_by == "HEAD-1"
