"""Digests: what was told, the head in each, and whether a pasted mail still agrees with the ledger."""

from datetime import date

import pytest
import sqlalchemy as sa
from lists_app import Listed

from moderator.domain.access import Role
from moderator.domain.events import Head
from moderator.store.outbox import DIGESTS
from moderator.web import digests
from moderator.web.digests import heads_in

DAY = "digests/2026-11-18"
CODE = "ab" * 32


def head_of(listed: Listed) -> Head:
    with listed.served.stage.database.reading() as connection:
        row = connection.execute(sa.select(DIGESTS).where(DIGESTS.c.school == "oakfield", DIGESTS.c.day == date(2026, 11, 18))).one()
    return Head(row.head_seq, row.head_hash)


def compared(listed: Listed, mail: str) -> str:
    answer = listed.served.head.post(f"/schools/oakfield/{DAY}", data={"mail": mail})
    assert answer.status_code == 200
    return answer.text


def test_the_days_are_listed_with_their_ledger_line(listed: Listed) -> None:
    page = listed.get(Role.HEAD, "digests")
    assert f'href="/schools/oakfield/{DAY}">Wednesday 18 November 2026</a>' in page
    assert f"Ledger line {head_of(listed).seq}" in page
    assert "Delivered Thursday 19 November 2026" in page


def test_a_digest_of_several_days_is_one_and_found_by_each_of_them(listed: Listed) -> None:
    head = head_of(listed)
    row = {"school": "oakfield", "first_day": date(2026, 11, 13), "day": date(2026, 11, 15), "key": "digest-oakfield-2026-11-15"}
    with listed.served.stage.database.unit() as unit:
        unit.connection.execute(
            sa.insert(DIGESTS).values(row | {"head_seq": head.seq, "head_hash": head.hash, "composed_at": listed.served.stage.clock.now()})
        )
    assert 'href="/schools/oakfield/digests/2026-11-15">Friday 13 to Sunday 15 November 2026</a>' in listed.get(Role.HEAD, "digests")
    for day in ("13", "14", "15"):
        page = listed.get(Role.HEAD, f"digests/2026-11-{day}")
        assert "<h1>Friday 13 to Sunday 15 November 2026</h1>" in page
        assert "Flagged in those days" in page
        assert "The days, as they stand now" in page
    for day in ("12", "16"):
        assert listed.served.head.get(f"/schools/oakfield/digests/2026-11-{day}").status_code == 404


def test_a_day_shows_its_head_and_what_became_of_its_comments(listed: Listed) -> None:
    page = listed.get(Role.HEAD, DAY)
    assert head_of(listed).hash in page
    assert "The ledger still has that line, unchanged." in page
    assert listed.named_on(page) == {"insult", "threat"}
    assert "idiot" not in page


@pytest.mark.parametrize(
    "mail",
    [
        "Ledger line {seq}:\n{hash}\n\nTo check it",
        "> Ledger line {seq}:\n> {hash}",
        "oakfield {seq}:{hash}",
        "Ledger line {seq}:\r\n{HASH}\r\n",
    ],
)
def test_the_mail_as_it_came_matches(listed: Listed, mail: str) -> None:
    head = head_of(listed)
    page = compared(listed, mail.format(seq=head.seq, hash=head.hash, HASH=head.hash.upper()))
    assert "It matches." in page
    assert f"Ledger line {head.seq}: unchanged" in page


def test_the_very_mail_that_was_sent_matches(listed: Listed) -> None:
    sent = [file.read_text() for file in (listed.served.stage.folder / "outbox").glob("*.eml")]
    (mail,) = [
        text
        for text in sent
        if "Digest for Wednesday 18 November 2026" in text and "Ledger line" in text and "To: head@oakfield.example" in text
    ]
    assert "It matches." in compared(listed, mail)


def test_a_mail_that_differs_is_told_at_once(listed: Listed) -> None:
    page = compared(listed, f"Ledger line {head_of(listed).seq}:\n{CODE}")
    assert "It does not match." in page
    assert "not in the ledger" in page
    other = listed.lines("opened")[0]
    assert other["seq"] == 1
    assert "There is no ledger line in what you pasted." in compared(listed, "Dear all, see you on Friday.")
    assert "It " not in compared(listed, "   ").partition('id="proof"')[0]


def test_a_mail_of_another_day_is_told_as_that(listed: Listed) -> None:
    with listed.served.stage.database.reading() as connection:
        first = connection.execute(sa.text("SELECT hash FROM ledger WHERE school = 'oakfield' AND seq = 1")).scalar_one()
    assert "but of another day" in compared(listed, f"Ledger line 1:\n{first}")


def test_heads_are_read_once_each_and_of_the_school_alone() -> None:
    text = f"Ledger line 4:\n{CODE}\noakfield 4:{CODE}\nashford 9:{CODE}\n5:{CODE}\n"
    assert heads_in(text, "oakfield") == (Head(4, CODE), Head(5, CODE))
    assert heads_in(f"oakfield 4:{CODE}\noakfield 4:{'cd' * 32}", "oakfield") == ()


def test_r15_and_r21_a_day_is_shown_without_what_is_not_for_the_reader(listed: Listed) -> None:
    database, day = listed.served.stage.database, date(2026, 11, 19)
    row = {"school": "oakfield", "day": day, "key": "kept", "head_seq": 3, "head_hash": CODE}
    with database.unit() as unit:
        unit.connection.execute(sa.insert(DIGESTS).values(row | {"composed_at": listed.served.stage.clock.now()}))
    shown = {role: listed.get(role, "digests/2026-11-19") for role in (Role.HEAD, Role.DSL, Role.DEPUTY)}
    with database.unit() as unit:
        unit.connection.execute(sa.delete(DIGESTS).where(DIGESTS.c.key == "kept"))
    assert {role: listed.named_on(page) for role, page in shown.items()} == {
        Role.HEAD: {"false", "named"},
        Role.DSL: {"false", "named", "crisis"},
        Role.DEPUTY: {"false"},
    }
    flagged = {role: page.partition("<dt>Flagged</dt><dd>")[2].partition("<")[0] for role, page in shown.items()}
    assert flagged == {Role.HEAD: "3", Role.DSL: "4", Role.DEPUTY: "2"}
    assert "The ledger does not have that line any more." in shown[Role.HEAD]


def test_a_day_without_a_digest_is_not_there(listed: Listed) -> None:
    head = listed.served.head
    for day in ("2020-01-01", "2026-13-45", "x"):
        assert head.get(f"/schools/oakfield/digests/{day}").status_code == 404
    assert listed.served.others[Role.HEAD].get(f"/schools/oakfield/{DAY}").status_code == 404
    assert listed.served.clients[Role.TRUSTEE].get(f"/schools/oakfield/{DAY}").status_code == 403


def test_pages_go_back_by_day(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    database, made = listed.served.stage.database, {"school": "ashford", "head_seq": 0, "head_hash": "0" * 64}
    monkeypatch.setattr(digests, "A_PAGE", 2)
    ashford = listed.served.others[Role.HEAD]
    with database.unit() as unit:
        before = unit.connection.execute(sa.select(DIGESTS).where(DIGESTS.c.school == "ashford")).mappings().all()
        unit.connection.execute(sa.delete(DIGESTS).where(DIGESTS.c.school == "ashford"))
        at = listed.served.stage.clock.now()
        rows = [made | {"day": date(2026, 10, day), "key": f"k{day}", "composed_at": at} for day in (1, 2, 3)]
        unit.connection.execute(sa.insert(DIGESTS), rows)
    try:
        first = ashford.get("/schools/ashford/digests").text
        assert "2026-10-03" in first
        assert "?before=2026-10-02" in first
        assert "Not delivered yet" in first
        last = ashford.get("/schools/ashford/digests?before=2026-10-02").text
        assert "2026-10-01" in last
        assert "Older" not in last
        assert "There are no older ones." in ashford.get("/schools/ashford/digests?before=2026-10-01").text
        empty = ashford.get("/schools/ashford/digests/2026-10-01").text
        assert "The ledger had no lines yet." in empty
        assert "Nothing was flagged." in empty
    finally:
        with database.unit() as unit:
            unit.connection.execute(sa.delete(DIGESTS).where(DIGESTS.c.school == "ashford"))
            if before:
                unit.connection.execute(sa.insert(DIGESTS), [dict(row) for row in before])
