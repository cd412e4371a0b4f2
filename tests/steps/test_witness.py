"""The ledgers' heads leave the machine every day: in each digest, and in one mail to the trust's witness mailbox."""

import re
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.calendar import Span
from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.events import Event, Head, LedgerEvent, heads_from
from moderator.evidence.check.verify import verify
from moderator.steps.digest import NOT_UP_TO_DATE, digest, digest_for
from moderator.store import people
from moderator.store.outbox import DIGESTS

WITNESS = "witness@trust.example"


def with_witness(stage: Stage, address: str = WITNESS) -> Stage:
    return replace(stage, tools=replace(stage.tools, witness_email=address, trust="Oakfield Learning Trust"))


def second_school(stage: Stage) -> None:
    other = replace(SCHOOL, slug="ashdown", name="Ashdown School", ledger="ledger-ashdown.jsonl", head_email="head@ashdown.example")
    with stage.database.unit() as unit:
        people.put_school(unit.connection, other)
        unit.append("ashdown", LedgerEvent(Event.OPENED, NOON, "ledger", facts={"public_key": "k"}))


def waiting(stage: Stage) -> dict[str, EmailMessage]:
    """Return the messages of the outbox by key."""
    with stage.database.reading() as connection:
        rows = connection.execute(sa.text("SELECT key, message FROM outbox"))
        return {row.key: message_from_bytes(bytes(row.message), policy=default) for row in rows}


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_one_witness_mail_a_day_holds_every_schools_head(any_stage: Stage) -> None:
    stage = with_witness(any_stage)
    second_school(stage)
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide", "record")
    stage.clock.move(timedelta(days=1))
    assert digest(stage.tools) == 2
    mails = waiting(stage)
    assert sorted(mails) == ["digest-ashdown-2026-11-18", "digest-oakfield-2026-11-18", "witness-2026-11-19"]
    witness = mails["witness-2026-11-19"]
    assert (witness["To"], witness["Subject"]) == (
        WITNESS,
        "Keep this: the ledger codes of Thursday 19 November 2026 (Oakfield Learning Trust)",
    )
    assert heads_from(text(witness)) == {slug: (stage.database.head(slug),) for slug in ("ashdown", "oakfield")}
    assert not re.search("Fern|Ashwick|idiot|Oakenshaw", text(witness))
    digest(stage.tools)
    assert len(waiting(stage)) == 3
    stage.clock.move(timedelta(days=1))
    digest(stage.tools)
    assert "witness-2026-11-20" in waiting(stage)


def test_a_pasted_line_of_the_mail_is_a_head_and_so_is_its_source(stage: Stage) -> None:
    stage = with_witness(stage)
    digest_for(stage.tools, SCHOOL, Span.of(NOON.date()))
    mail = waiting(stage)["witness-2026-11-18"]
    (line,) = {each for each in text(mail).splitlines() if each.startswith("oakfield ")}
    head = stage.database.head("oakfield")
    assert line == f"oakfield {head.seq}:{head.hash}"
    assert heads_from(mail.as_string()) == {"oakfield": (head,)}


def test_the_witness_goes_with_the_digest_or_not_at_all(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = with_witness(stage)

    def full(*_given: object) -> None:
        message = "the database did not take it"
        raise Transient(message)

    with stage.database.unit() as unit:
        monkeypatch.setattr(type(unit), "mail_composed", full)
    with pytest.raises(Transient):
        digest_for(stage.tools, SCHOOL, Span.of(NOON.date()))
    assert waiting(stage) == {}
    with stage.database.reading() as connection:
        assert connection.execute(sa.select(DIGESTS.c.key)).first() is None


def test_a_day_without_comments_has_a_head_too(stage: Stage) -> None:
    stage = with_witness(stage)
    assert digest_for(stage.tools, SCHOOL, Span.of(NOON.date()))
    assert not digest_for(stage.tools, SCHOOL, Span.of(NOON.date()))
    mails = waiting(stage)
    assert sorted(mails) == ["digest-oakfield-2026-11-18", "witness-2026-11-18"]
    assert stage.database.head("oakfield").hash in text(mails["digest-oakfield-2026-11-18"])
    stage.run("send")
    assert len(list((stage.folder / "outbox").glob("*.eml"))) == 2
    assert stage.ledger_events()[-1:] == ["digest_sent"]


def test_without_a_mailbox_there_is_no_witness_mail(stage: Stage) -> None:
    digest_for(stage.tools, SCHOOL, Span.of(NOON.date()))
    assert sorted(waiting(stage)) == ["digest-oakfield-2026-11-18"]


def test_a_mailbox_that_is_no_address_never_keeps_the_digest_back(stage: Stage) -> None:
    assert digest_for(with_witness(stage, "not\u00a0an@address.example").tools, SCHOOL, Span.of(NOON.date()))
    assert sorted(waiting(stage)) == ["digest-oakfield-2026-11-18"]


@pytest.mark.parametrize("error", [EvidenceFailed("changed from outside"), Transient("the disk is full")])
def test_a_ledger_file_in_trouble_is_told_and_the_head_goes_out_all_the_same(
    stage: Stage, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(_self: object, school: str) -> Head:
        del school
        raise error

    monkeypatch.setattr(type(stage.tools.ledger), "sync", sync)
    stage = with_witness(stage)
    assert digest_for(stage.tools, SCHOOL, Span.of(date(2026, 11, 18)))
    mails = waiting(stage)
    said = " ".join(text(mails["digest-oakfield-2026-11-18"]).split())
    assert NOT_UP_TO_DATE in said
    assert stage.database.head("oakfield").hash in said
    assert "witness-2026-11-18" in mails


def test_a_ledger_cut_short_or_written_anew_does_not_match_the_witness(stage: Stage) -> None:
    stage = with_witness(stage)
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide", "record")
    digest_for(stage.tools, SCHOOL, Span.of(NOON.date()))
    heads = heads_from(text(waiting(stage)["witness-2026-11-18"]))
    vault, path = stage.folder / "vault", stage.folder / "ledger.jsonl"
    assert verify(vault, heads=heads).ok
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert "head" in {fault.code for fault in verify(vault, heads=heads).faults}
