"""Asking timestamp authorities: what is taken, what is refused, and that a dead one costs little (R10: a seal never waits long)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from authorities import Authority, make, openssl_accepts, running

from moderator.domain.errors import BadInput, Transient, Unanswered
from moderator.domain.times import FrozenClock
from moderator.evidence.seal.authority import FIRST_REST, LONGEST_REST, HttpAuthority, Patient
from moderator.evidence.seal.stamp import ask_all, stamp_files
from moderator.evidence.seal.token import SHA512, read_token, token_time
from moderator.ports import NoStamper

DATA = b"a manifest\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Return a running authority with a chain of two."""
    with running(make(tmp_path_factory.mktemp("shop") / "plain")) as here:
        yield here


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Return a running authority with a certificate between the root and its own."""
    with running(make(tmp_path_factory.mktemp("deep") / "three", between=True)) as here:
        yield here


@pytest.fixture(autouse=True)
def good_again(shop: Authority, deep: Authority) -> None:
    """Let both behave at the start of each test."""
    for each in (shop, deep):
        each.mode = "good"
        each.asked.clear()


@pytest.mark.parametrize("hashed_by", ["sha256", "sha512"])
@pytest.mark.parametrize("which", ["shop", "deep"])
def test_a_good_stamp_is_taken_and_openssl_takes_it_too(which: str, hashed_by: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    authority: Authority = request.getfixturevalue(which)
    token, chain = authority.http().stamp(DATA, hashed_by=hashed_by)
    said = read_token(token, chain, DATA)
    assert abs(said.at - datetime.now(UTC)) < timedelta(seconds=5)
    assert said.expires_at == authority.ends, "the certificate it was signed with runs out first"
    assert said.policy == "1.2.3.4.1"
    for name, content in (("data", DATA), ("t.tsr", token), ("chain.pem", chain)):
        (tmp_path / name).write_bytes(content)
    assert openssl_accepts(tmp_path, "t.tsr", "data", "chain.pem", at=said.at)
    assert token_time(token, chain, DATA) == said.at


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("busy", "answers with status 503"),
        ("junk", "does not hold"),
        ("empty", "does not hold"),
        ("refused", "does not hold"),
        ("huge", "more than a stamp can be"),
        ("stale", "does not hold"),
        ("drip", "takes longer than 0.3 seconds"),
        ("slow", "does not answer"),
    ],
)
def test_a_bad_answer_is_refused(shop: Authority, mode: str, why: str) -> None:
    shop.http().stamp(b"an earlier question")
    shop.mode = mode
    with pytest.raises(Unanswered, match=why):
        shop.http(timeout=0.3 if mode in {"drip", "slow"} else 5).stamp(DATA)


def test_an_answer_to_the_same_question_asked_before_is_refused(shop: Authority) -> None:
    shop.http().stamp(DATA)
    shop.mode = "stale"
    with pytest.raises(Unanswered, match="answered another question"):
        shop.http().stamp(DATA)
    shop.answer = b""
    shop.http().stamp(DATA)
    with pytest.raises(Unanswered, match="answered another question"):
        shop.http().stamp(DATA, hashed_by=SHA512)


def test_a_stamp_by_somebody_else_is_refused(shop: Authority, deep: Authority) -> None:
    with pytest.raises(Unanswered, match="does not hold"):
        HttpAuthority("tsa", shop.url, deep.chain).stamp(DATA)


def test_a_policy_asked_for_must_be_the_one_stamped_by(shop: Authority) -> None:
    assert shop.http(policy="1.2.3.4.1").stamp(DATA)
    with pytest.raises(Unanswered, match=r"by policy 1\.2\.3\.4\.1, not 1\.2\.3\.4\.9"):
        shop.http(policy="1.2.3.4.9").stamp(DATA)


def test_a_clock_that_is_off_refuses_the_stamp_and_says_so(shop: Authority) -> None:
    late = FrozenClock(datetime.now(UTC) + timedelta(minutes=11))
    with pytest.raises(Unanswered, match=r"the clock of this machine .* differ by 6[56]\d s"):
        shop.http(clock=late).stamp(DATA)


@pytest.mark.parametrize("name", ["../x", "", "Tsa", "tsa-0002"])
def test_names_that_cannot_be_file_names_are_bad_input(shop: Authority, name: str) -> None:
    with pytest.raises(BadInput, match="cannot name"):
        HttpAuthority(name, shop.url, shop.chain)


def test_a_policy_or_chain_that_is_none_is_bad_input(shop: Authority) -> None:
    with pytest.raises(BadInput, match="not a dotted number"):
        HttpAuthority("tsa", shop.url, shop.chain, policy="the usual one")
    with pytest.raises(BadInput, match="holds no certificate"):
        HttpAuthority("tsa", shop.url, b"<html>not found</html>")


def test_an_authority_that_is_not_there_is_transient(shop: Authority) -> None:
    with pytest.raises(Transient, match="does not answer"):
        HttpAuthority("tsa", "http://127.0.0.1:9/", shop.chain, timeout=1).stamp(DATA)


def test_a_failing_authority_is_left_alone_twice_as_long_each_time(shop: Authority) -> None:
    clock = FrozenClock(datetime.now(UTC))
    shop.mode = "busy"
    patient = shop.patient(clock)
    rests = []
    for _ in range(8):
        asked = len(shop.asked)
        with pytest.raises(Unanswered, match="status 503"):
            patient.stamp(DATA)
        assert len(shop.asked) == asked + 1
        began = clock.now()
        while patient.resting:
            with pytest.raises(Unanswered, match="did not answer lately"):
                patient.stamp(DATA)
            clock.move(timedelta(seconds=30))
        rests.append(clock.now() - began)
        assert len(shop.asked) == asked + 1, "no question was sent while it was left alone"
        clock.move(began - clock.now())
        clock.move(rests[-1])
    assert rests[0] == FIRST_REST
    assert rests[1] == 2 * FIRST_REST
    assert rests[-1] == rests[-2] == LONGEST_REST


def test_a_good_answer_ends_the_rest_and_so_does_a_clock_set_back(shop: Authority) -> None:
    clock = FrozenClock(datetime.now(UTC))
    patient = shop.patient(clock)
    assert (patient.name, patient.chain_pem, patient.resting) == ("tsa", shop.chain, False)
    shop.mode = "busy"
    with pytest.raises(Unanswered):
        patient.stamp(DATA)
    assert patient.resting
    clock.move(-timedelta(seconds=1))
    assert not patient.resting
    shop.mode = "good"
    assert patient.stamp(DATA)
    clock.move(timedelta(seconds=2))
    assert not patient.resting


class _Bare:
    """An authority that tells of no chain; implements ports.TimestampAuthority."""

    name = "bare"

    def stamp(self, data: bytes, *, hashed_by: str = "sha256") -> tuple[bytes, bytes]:
        del data, hashed_by
        return b"junk", b"junk"


def test_what_is_no_stamp_is_never_kept() -> None:
    assert Patient(_Bare(), FrozenClock(datetime.now(UTC))).chain_pem is None
    assert stamp_files([_Bare()], DATA).files == {}


def test_two_authorities_are_asked_side_by_side(shop: Authority, deep: Authority) -> None:
    had = stamp_files([shop.http("one"), deep.http("two")], DATA)
    assert sorted(had.files) == [
        "manifest-sha256.txt.one.tsr",
        "manifest-sha256.txt.two.tsr",
        "one-chain.pem",
        "two-chain.pem",
    ]
    assert [(each.authority, each.round, each.expires_at) for each in had.stamps] == [("one", 1, shop.ends), ("two", 1, deep.ends)]
    assert token_time(had.files["manifest-sha256.txt.two.tsr"], deep.chain, DATA) == had.stamps[1].at


def test_one_down_gives_the_other_and_both_down_give_none(shop: Authority, deep: Authority) -> None:
    both = [shop.http("one"), deep.http("two")]
    shop.mode = "busy"
    assert [each.authority for each in stamp_files(both, DATA).stamps] == ["two"]
    deep.mode = "junk"
    assert stamp_files(both, DATA).stamps == ()
    assert stamp_files([], DATA).stamps == ()


def test_a_dead_authority_does_not_slow_the_seal_beyond_the_limit(shop: Authority, deep: Authority) -> None:
    deep.mode = "slow"
    began = time.monotonic()
    had = ask_all([deep.http("slow", timeout=2), shop.http("quick")], DATA, limit=1.0)
    assert time.monotonic() - began < 1.5  # which the slow one takes
    assert set(had) == {"quick"}


def test_without_an_authority_nothing_is_stamped() -> None:
    none = NoStamper()
    assert (none.authorities, none.ready) == ((), ())
    with pytest.raises(Unanswered, match="no timestamp authority"):
        none.add("oakfield/2026/R-AAAAAAAAAAAAAAAA", "tsa")
    with pytest.raises(Unanswered, match="no timestamp authority"):
        none.renew("oakfield/2026/R-AAAAAAAAAAAAAAAA", number=1, later_than=datetime.now(UTC), by_all=False)
