"""Wrong tries cost whoever makes them time, and never cost the Headteacher their way in."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from signing import WRONG, Door, door_in
from stage import NOON

from moderator.domain.access import Role
from moderator.domain.errors import Transient
from moderator.store import proofs
from moderator.store.outbox import ALERTS
from moderator.web.signing_in import throttle, trying
from moderator.web.signing_in.password import wait_words
from moderator.web.signing_in.throttle import Throttle


@pytest.fixture(scope="module")
def door(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Yield one served app for all tests here; each test brings people of its own."""
    with door_in(tmp_path_factory.mktemp("throttle"), migrated_file) as made:
        yield made


def failures(door: Door, person_id: int) -> int:
    with door.stage.database.reading() as connection:
        return proofs.proofs_of(connection, person_id).failures


def test_the_wait_grows_and_a_right_password_is_not_looked_at_before_it_is_over(door: Door) -> None:
    signer, waits = door.signer(), []
    for wait in (1, 2, 4):
        assert door.password(door.browser(), signer, WRONG).status_code == 403
        early = door.password(door.browser(), signer)
        waits.append(int(early.headers["retry-after"]))
        assert early.status_code == 429
        assert "Nothing you typed was looked at" in early.text
        door.stage.clock.move(timedelta(seconds=wait))
    assert waits == [1, 2, 4]
    assert door.enter(door.browser(), signer).status_code == 303
    assert failures(door, signer.person.id) == 0


def test_an_address_that_nobody_has_waits_just_as_long(door: Door) -> None:
    signer = door.signer()
    pages = []
    for email in (signer.person.email, "nobody.at.all@oakfield.example"):
        browser = door.browser()
        for _ in range(2):
            answer = browser.post("/sign-in/password", data={"email": email, "password": WRONG})
        assert answer.status_code == 429
        pages.append((answer.text.replace(email, "E"), answer.headers["retry-after"]))
    assert pages[0] == pages[1]


def test_a_storm_from_elsewhere_does_not_keep_the_head_out_of_a_known_browser(door: Door) -> None:
    head, office = door.signer(Role.HEAD), door.browser()
    door.enter(office, head)
    office.post("/sign-out")
    storm = door.browser()
    for _ in range(12):
        door.password(storm, head, WRONG)
        door.stage.clock.move(timedelta(minutes=15))
    door.password(storm, head, WRONG)
    assert door.password(door.browser(), head).status_code == 429
    assert door.enter(office, head).status_code == 303
    assert door.inside(office)


def test_the_head_comes_in_by_a_new_browser_once_the_wait_is_over(door: Door) -> None:
    head, storm = door.signer(Role.HEAD), door.browser()
    for _ in range(14):
        door.password(storm, head, WRONG)
        door.stage.clock.move(timedelta(minutes=15))
    door.password(storm, head, WRONG)
    new = door.browser()
    answer = door.password(new, head)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 15 * 60
    door.stage.clock.move(timedelta(minutes=15))
    assert door.enter(new, head).status_code == 303
    assert failures(door, head.person.id) == 0


def test_a_storm_from_the_schools_own_address_does_not_keep_the_head_out_either(door: Door) -> None:
    head = door.signer(Role.HEAD)
    office = door.browser(**{"X-Forwarded-For": "10.9.9.9"})
    door.enter(office, head)
    site = door.app.state.site
    for _ in range(60):
        site.throttle.wrong_from("10.9.9.9")
    assert door.password(door.browser(**{"X-Forwarded-For": "10.9.9.9"}), door.signer()).status_code == 429
    assert door.password(door.browser(), door.signer()).status_code == 303
    assert door.enter(office, head).status_code == 303


def test_a_known_browser_has_a_counter_of_its_own(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.enter(browser, signer)
    answers = [door.password(browser, signer, WRONG).status_code for _ in range(11)]
    assert answers == [403] * 10 + [429]
    assert failures(door, signer.person.id) == 0
    assert door.enter(door.browser(), signer).status_code == 303


def test_a_browser_known_to_one_person_is_not_known_to_another(door: Door) -> None:
    one, other, browser = door.signer(), door.signer(), door.browser()
    door.enter(browser, one)
    door.password(browser, other, WRONG)
    assert failures(door, other.person.id) == 1
    assert door.password(browser, other).status_code == 429


def test_wrong_codes_count_too_in_each_kind_of_browser(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.password(browser, signer)
    browser.post("/sign-in/code", data={"code": "000000"})
    assert failures(door, signer.person.id) == 1
    door.enter(browser, signer)
    assert failures(door, signer.person.id) == 0
    for _ in range(4):
        door.password(browser, signer)
        for _ in range(3):
            last = browser.post("/sign-in/code", data={"code": "000000"})
    assert last.status_code == 403
    assert door.password(browser, signer).status_code == 429
    assert failures(door, signer.person.id) == 0


def test_of_many_wrong_tries_at_once_few_are_looked_at(door: Door) -> None:
    signer = door.signer()
    browsers = [door.browser() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: door.password(each, signer, WRONG).status_code, browsers))
    assert set(answers) <= {403, 429}
    assert failures(door, signer.person.id) == answers.count(403)
    assert answers.count(403) <= 4


def test_a_try_that_another_one_overtook_is_not_looked_at(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = door.signer()
    monkeypatch.setattr(proofs, "claim_try", lambda *_: False)
    assert door.password(door.browser(), signer).status_code == 429


def test_refusals_stand_in_the_ledger_for_the_first_and_the_tenth_not_for_each(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    for _ in range(11):
        door.password(browser, signer, WRONG)
    told = [(line["reason"], line["count"], line["subject"]) for line in door.lines(signer.designation.reference)]
    assert told == [("refused", 1, "sign-in"), ("refused", 10, "sign-in")]


def test_a_storm_of_refusals_is_told_to_the_school_once_a_day(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "STORM", 10)
    signer, browser = door.signer(), door.browser()
    for _ in range(9):
        door.password(browser, signer, WRONG)
    assert told(door) == []
    for _ in range(3):
        door.password(browser, signer, WRONG)
    assert told(door) == ["Somebody keeps trying to sign in as one of your people."]


def told(door: Door) -> list[str]:
    with door.stage.database.reading() as connection:
        return list(connection.execute(sa.select(ALERTS.c.what)).scalars())


def test_refusals_of_somebody_without_a_designation_stand_nowhere(door: Door) -> None:
    from moderator.store import register  # noqa: PLC0415 - only here

    signer = door.signer()
    with door.stage.database.unit() as unit:
        register.end_designation(unit.connection, signer.designation.id, by="CEO-1", reason="left", at=door.stage.clock.now())
    assert door.password(door.browser(), signer, WRONG).status_code == 403
    assert door.lines(signer.designation.reference) == []


def test_addresses_that_nobody_has_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_STRANGERS", 3)
    counted = Throttle()
    for number in range(5):
        counted.wrong_stranger(f"{number}@x.example", at=NOON)
    waits = [counted.stranger_waits(f"{number}@x.example", at=NOON) for number in range(5)]
    assert waits == [timedelta(0)] * 2 + [timedelta(seconds=1)] * 3


def test_a_sign_in_that_gets_no_turn_is_told_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "PATIENCE", timedelta(milliseconds=1))
    busy, free = Throttle(), threading.Event()
    with busy.hashing(), busy.hashing(), pytest.raises(Transient, match="too many people"), busy.hashing():
        free.set()
    assert not free.is_set()
    with busy.hashing():
        free.set()
    assert free.is_set()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 second"), (59, "59 seconds"), (60, "1 minute"), (61, "2 minutes"), (900, "15 minutes")]
)
def test_waits_in_words(seconds: float, words: str) -> None:
    assert wait_words(timedelta(seconds=seconds)) == words
