"""Decisions from the form: taken, refused with what was typed kept, and carried out on the platform."""

from datetime import timedelta

from review_app import Served
from sqlalchemy import text as sql

from moderator.domain.errors import Refused
from moderator.steps.restore import restore


def test_keeping_a_decision(served: Served) -> None:
    item, following = served.seen("You are an idiot", "What an idiot")
    answer = served.decide(item, "uphold", "It is plain abuse of our staff.")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/items/{item}?done=uphold")
    page = served.head.get(answer.headers["location"]).text
    assert "Done. The decision stands. Your reason is kept." in page
    assert f'href="/items/{following}">Open the next one that needs you</a>' in page
    assert "It is plain abuse of our staff." in page
    assert "by HEAD-1" in page
    assert "Change the decision" in page
    assert served.stage.states() == ["upheld", "hidden"]
    assert served.stage.platform.hidden == {"10", "11"}


def test_restoring_shows_the_comment_again_on_the_platform(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    assert served.decide(item, "restore", "A joke between friends.").status_code == 303
    page = served.head.get(f"/items/{item}?done=restore").text
    assert "If it was hidden, it shows again within a few minutes." in page
    assert "It is about to show again." in page
    assert 'name="verdict"' not in page
    assert served.decide(item, "uphold").status_code == 409
    restore(served.stage.tools)
    assert served.stage.platform.hidden == set()
    assert served.stage.states() == ["restored"]
    page = served.head.get(f"/items/{item}").text
    assert "Showing again" in page
    assert "Everybody. It is not hidden." in page
    assert "Decided: show it again" in page
    assert "A joke between friends." in page
    assert 'name="verdict"' not in page


def test_r24_a_short_reason_is_refused_with_what_was_typed_kept(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    for why in ("", "   \r\n  ", "a <short"):
        answer = served.decide(item, "uphold", why)
        assert answer.status_code == 400
        assert "Say why in at least 10 characters." in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert 'role="alert"' in answer.text
    assert ">\na &lt;short</textarea>" in answer.text
    assert served.stage.states() == ["hidden"]


def test_a_reason_that_is_too_long_or_a_form_without_a_choice_is_refused(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    long = served.decide(item, "uphold", "x" * 4001)
    assert long.status_code == 400
    assert "under 4000 characters" in long.text
    for verdict in ("", "delete", "UPHOLD"):
        answer = served.decide(item, verdict, "A reason that is long enough.")
        assert answer.status_code == 400
        assert "Choose one of the buttons." in answer.text
        assert "A reason that is long enough." in answer.text


def test_a_decision_that_comes_too_late_is_told_with_what_was_typed(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    served.decide(item, "restore", "A joke between friends.")
    restore(served.stage.tools)
    answer = served.decide(item, "restore", "I typed this for minutes.")
    assert answer.status_code == 409
    assert "An item that is restored cannot be restored." in answer.text
    assert "I typed this for minutes." in answer.text
    again = served.decide(item, "uphold", "I typed this for minutes.")
    assert again.status_code == 409
    assert "An item cannot go from restored to upheld." in again.text


def test_a_held_item_is_tried_again(served: Served) -> None:
    served.stage.platform.failures.append(Refused("no"))
    served.seen("Lovely")
    served.stage.platform.failures.clear()
    served.stage.platform.believes_hidden = False
    item = served.seen("You are an idiot")[0]
    for _ in range(9):
        served.later(timedelta(minutes=11))
        served.run_line()
    page = served.head.get(f"/items/{item}").text
    assert "The platform did not confirm that this comment is hidden." in page
    assert "Waiting for you: the service could not finish" in page
    assert 'value="retry"' in page
    served.stage.platform.believes_hidden = None
    answer = served.decide(item, "retry", "The platform works again.")
    assert answer.status_code == 303
    assert "The service tries again now." in served.head.get(answer.headers["location"]).text
    served.run_line()
    assert served.stage.states()[-1] == "hidden"
    late = served.decide(item, "retry", "The platform works again.")
    assert late.status_code == 409
    assert "not held" in late.text


def test_r17_the_police_reference_is_kept_and_ends_the_waiting(served: Served) -> None:
    item = served.seen("indecent_image")[0]
    short = served.decide(item, "uphold", "Ref 12")
    assert short.status_code == 400
    assert "Ref 12" in short.text
    assert "Do not open this comment" in short.text
    assert served.decide(item, "restore", "Surely it is harmless.").status_code == 409
    assert served.decide(item, "uphold", "Police reference AB-123, called 101.").status_code == 303
    assert served.stage.states() == ["withheld"]
    assert "Add a note" in served.head.get(f"/items/{item}").text
    assert "Nothing waits for you." in served.head.get("/").text


def test_a_decision_the_machine_cannot_store_is_not_called_done(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    served.head.get(f"/items/{item}")
    ledger = served.stage.folder / "ledger.jsonl"
    ledger.rename(served.stage.folder / "away")
    ledger.mkdir()
    answer = served.decide(item, "uphold", "It is plain abuse of our staff.")
    assert answer.status_code == 503
    assert "could not finish storing this" in answer.text
    assert "It is plain abuse of our staff." in answer.text


def test_a_database_that_takes_nothing_changes_nothing(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    served.head.get(f"/items/{item}")
    with served.stage.database.unit() as unit:
        unit.connection.execute(sql("CREATE TRIGGER full BEFORE INSERT ON reviews BEGIN SELECT RAISE(ABORT, 'disk full'); END"))
    answer = served.decide(item, "restore")
    assert answer.status_code in {500, 503}
    assert "disk full" not in answer.text
    assert served.stage.states() == ["hidden"]
    assert served.stage.platform.hidden == {"10"}
