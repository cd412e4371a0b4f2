"""The line from poll to digest, on both engines, as the rules ask."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from importlib.resources import files
from itertools import pairwise

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, add_second_account, comment, set_up

from moderator.domain.account import Mode
from moderator.domain.calendar import Span
from moderator.domain.events import line_hash
from moderator.domain.record import Verification
from moderator.evidence.check.verify import verify
from moderator.platforms.memory import CAPABILITIES
from moderator.ports import FixedPolicy
from moderator.steps.digest import digest_for
from moderator.steps.drain import drain
from moderator.steps.sweep import sweep
from moderator.store.database import Database, SqlUnit
from moderator.store.items import ITEMS

LINE = ("poll", "score", "decide", "alert", "record", "hide", "send")


def mails(stage: Stage) -> list[str]:
    """Return every delivered message's headers and plain text."""
    found = []
    for path in sorted((stage.folder / "outbox").glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=default)
        body = message.get_body(("plain",))
        assert body is not None
        found.append(f"{message['To']}\n{message['Subject']}\n{body.get_content()}")
    return found


def test_comments_go_from_seen_to_their_end(any_stage: Stage) -> None:
    any_stage.platform.comments += [
        comment(10),
        comment(11, "You are an idiot"),
        comment(12, "I want to tell you: disclosure"),
        comment(13, "indecent_image here"),
        comment(14, "idiot mention", hideable=False),
    ]
    any_stage.run(*LINE)
    assert any_stage.states() == ["cleared", "hidden", "recorded", "withheld", "recorded"]
    assert any_stage.platform.hidden == {"11"}
    assert any_stage.database.next_due() is None
    assert verify(any_stage.folder / "vault").ok


def test_r10_the_ledger_tells_the_order_alerted_captured_sealed_intended_hidden(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run(*LINE)
    assert stage.ledger_events() == [
        "opened",
        "flagged",
        "alerted",
        "captured",
        "sealed",
        "hide_intended",
        "hidden",
        "hide_verified",
    ]
    ((sealed, called),) = stage.rows("sealed_at", "hide_called_at")
    assert sealed < called  # type: ignore[operator] # two datetimes


def test_the_ledger_file_is_the_database_line_by_line(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run(*LINE)
    lines = (stage.folder / "ledger.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == stage.ledger_events()
    for before, after in pairwise(lines):
        assert json.loads(after)["prev"] == line_hash(before)
    assert "Fern" not in "".join(lines)
    assert "idiot" not in "".join(lines)


def test_observe_mode_records_and_alerts_but_hides_nothing(database: Database, tmp_path: object) -> None:
    stage = set_up(database, tmp_path, mode=Mode.OBSERVE)  # type: ignore[arg-type] # pytest's tmp_path is a Path
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run(*LINE)
    assert stage.states() == ["recorded"]
    assert not any(call.startswith("hide") for call in stage.platform.calls)
    stage.clock.move(timedelta(minutes=6))
    stage.run("alert", "send")
    assert "observe mode" in mails(stage)[0]


def test_r7_severe_alerts_are_due_at_once_and_others_within_five_minutes(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide", "alert", "send")
    assert mails(stage) == []
    stage.platform.comments.append(comment(12, "I will hurt you"))
    stage.database.poll_now()
    stage.run("poll", "score", "decide", "alert", "send")
    assert len(mails(stage)) == 1
    assert "2" in mails(stage)[0]


def test_r7_an_ordinary_alert_goes_out_five_minutes_after_first_sight(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide")
    stage.clock.move(timedelta(minutes=4, seconds=50))
    stage.run("alert", "send")
    assert mails(stage) == []
    stage.clock.move(timedelta(seconds=15))
    stage.run("alert", "send")
    assert len(mails(stage)) == 1


def test_r24_an_account_with_thresholds_of_its_own_is_decided_by_them(stage: Stage) -> None:
    more = '[accounts."memory:oakfieldprimary"]\nwhy = "Agreed with the Head."\nflag = { abusive = 0.99, insult = 0.99 }\n'
    bundled = files("moderator.domain").joinpath("policy.toml").read_text(encoding="utf-8")
    stage = replace(stage, tools=replace(stage.tools, policies=FixedPolicy(bundled + more)))
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide", "alert", "send")
    stage.clock.move(timedelta(minutes=6))
    stage.run("alert", "send")
    assert mails(stage) == []


def test_a_bounded_turn_composes_no_more_than_asked(stage: Stage) -> None:
    stage.platform.comments.append(comment(12, "I will hurt you"))
    stage.run("poll", "score", "decide")
    from moderator.steps.alert import alert  # noqa: PLC0415 - for one call

    assert alert(stage.tools, limit=1) == 1
    assert alert(stage.tools, limit=1) == 0


def test_r28_no_mail_holds_a_name_or_comment_text(stage: Stage) -> None:
    stage.platform.comments += [comment(11, "You are an idiot, Tilly Marwood"), comment(12, "I will hurt you zebra")]
    stage.run(*LINE)
    digest_for(stage.tools, SCHOOL, Span.of(date(2026, 11, 18)))
    stage.run("alert", "send")
    told = "".join(mails(stage))
    assert len(mails(stage)) == 2
    for secret in ("idiot", "Tilly", "Marwood", "zebra", "Fern", "fern_ashwick"):
        assert secret not in told


def test_r12_one_digest_a_school_and_day_with_the_ledgers_head(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run(*LINE)
    assert digest_for(stage.tools, SCHOOL, Span.of(date(2026, 11, 18)))
    head = stage.database.head(SCHOOL.slug)
    assert not digest_for(stage.tools, SCHOOL, Span.of(date(2026, 11, 18)))
    stage.run("send")
    digest = next(mail for mail in mails(stage) if "digest" in mail.lower())
    assert CAPABILITIES.visible_after_hide in digest
    assert head.hash in digest.replace("\n", "").replace(" ", "")
    assert stage.ledger_events()[-1] == "digest_sent"


def test_r4_an_empty_day_still_sends_a_digest_and_a_missed_one_is_made_up(stage: Stage) -> None:
    stage.run("digest")
    assert stage.database.digest_due(now=stage.clock.now()) == []
    stage.clock.move(timedelta(days=3))
    stage.run("digest", "send")
    assert len(mails(stage)) == 3
    assert stage.database.digest_due(now=stage.clock.now()) == []


def test_a_digest_is_not_made_for_a_school_whose_ledger_never_opened(database: Database) -> None:
    from moderator.store import people  # noqa: PLC0415 - one line of set-up

    with database.unit() as unit:
        people.put_school(unit.connection, SCHOOL)
    assert database.digest_due(now=NOON + timedelta(days=9)) == []


def test_r4_silence_past_the_limit_raises_an_alert_once_a_day(stage: Stage) -> None:
    stage.run("poll")
    stage.clock.move(timedelta(hours=3))
    assert drain(sweep, stage.tools, limit=10, deadline=stage.clock.now() + timedelta(minutes=1)) == 0
    sweep(stage.tools)
    stage.run("alert", "send")
    assert len(mails(stage)) == 1
    assert "not been read" in mails(stage)[0]


def test_r28_cleared_comments_are_forgotten_after_a_day_and_not_seen_again(any_stage: Stage) -> None:
    any_stage.platform.comments += [comment(10, "A kind word"), comment(11, "You are an idiot")]
    any_stage.run(*LINE, "prune")
    assert any_stage.rows("text")[0] == ("A kind word",)
    any_stage.clock.move(timedelta(hours=25))
    any_stage.run("prune")
    assert any_stage.rows("text", "author_name") == [("", ""), ("You are an idiot", "Fern Ashwick")]
    any_stage.platform.comments += [comment(10, "A kind word")]
    any_stage.database.poll_now()
    any_stage.run("poll")
    assert len(any_stage.rows("id")) == 2


def test_a_page_is_kept_while_an_item_waits_for_its_record(any_stage: Stage) -> None:
    any_stage.platform.comments += [comment(11, "You are an idiot")]
    any_stage.run("poll", "score", "decide")
    any_stage.clock.move(timedelta(hours=25))
    any_stage.run("prune")
    assert any_stage.database.first_seen(1).body == b'{"from":"memory"}'


def test_a_deadline_ends_a_drain(stage: Stage) -> None:
    stage.platform.comments += [comment(number) for number in range(1, 6)]
    stage.run("poll")
    from moderator.steps.score import score  # noqa: PLC0415 - for one call

    assert drain(score, stage.tools, limit=1, deadline=stage.clock.now() + timedelta(milliseconds=6)) < 5


def test_two_accounts_that_see_the_same_comment_share_one_record(any_stage: Stage) -> None:
    add_second_account(any_stage)
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run(*LINE)
    assert any_stage.states() == ["hidden", "hidden"]
    assert len({row[0] for row in any_stage.rows("record_id")}) == 1
    assert verify(any_stage.folder / "vault").ok


NEW_YEARS_EVE = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)


def seen_again_in_the_new_year(stage: Stage) -> None:
    """Let twenty hours pass, connect the second account, and let it see what the first one saw."""
    stage.clock.move(timedelta(hours=20))
    add_second_account(stage)
    stage.database.poll_now()
    stage.run(*LINE)


def bags(stage: Stage) -> list[str]:
    return [path.parent.name for path in (stage.folder / "vault").glob("oakfield/*/R-*")]


def test_two_accounts_share_one_record_across_new_year(any_stage: Stage) -> None:
    any_stage.clock.move(NEW_YEARS_EVE - any_stage.clock.now())
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run(*LINE)
    assert any_stage.states() == ["hidden"]
    seen_again_in_the_new_year(any_stage)
    assert any_stage.states() == ["hidden", "hidden"]
    assert bags(any_stage) == ["2026"]
    assert verify(any_stage.folder / "vault") == Verification(1)


def test_two_accounts_share_a_record_that_a_crash_kept_out_of_the_books(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.clock.move(NEW_YEARS_EVE - stage.clock.now())
    stage.platform.comments.append(comment(11, "You are an idiot"))
    with monkeypatch.context() as crash:
        crash.setattr(SqlUnit, "recorded", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stage.run(*LINE)
    with stage.database.engine.begin() as connection:
        connection.execute(sa.update(ITEMS).values(lease_until=NEW_YEARS_EVE + timedelta(days=2)))  # its worker hangs
    seen_again_in_the_new_year(stage)
    assert stage.states() == ["flagged", "hidden"]
    stage.clock.move(timedelta(days=3))
    stage.run("record", "hide")
    assert stage.states() == ["hidden", "hidden"]
    assert bags(stage) == ["2026"]
    assert verify(stage.folder / "vault") == Verification(1)
