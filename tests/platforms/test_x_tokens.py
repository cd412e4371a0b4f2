"""The token pair: renewed in time, stored before it is used, by one caller at a time, and never lost between two processes."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from moderator import ports
from moderator.domain.errors import RateLimited, Refused, Transient, Unauthorised
from moderator.platforms.practice import SCHOOL_ID, Running
from moderator.platforms.x import XPlatform
from moderator.platforms.x.tokens import Keys
from moderator.platforms.x.wire import open_session


def test_a_token_that_has_run_out_is_renewed_and_stored(x: XPlatform, credentials: Any) -> None:
    assert x.identity() == str(SCHOOL_ID)
    assert len(credentials.saved) == 1
    left = credentials.load().expires_at - datetime.now(UTC)
    assert timedelta(minutes=119) < left <= timedelta(minutes=120)
    assert x.identity() == str(SCHOOL_ID)
    assert len(credentials.saved) == 1


def test_a_token_is_renewed_before_it_dies_on_the_way(x: XPlatform, credentials: Any, clock: Any) -> None:
    x.identity()
    clock.ahead = timedelta(minutes=119, seconds=30)
    x.identity()
    assert len(credentials.saved) == 2


def test_a_token_that_x_expired_early_is_renewed(x: XPlatform, people: Any, credentials: Any) -> None:
    x.identity()
    people.do("token", do="expire")
    assert x.identity() == str(SCHOOL_ID)
    assert len(credentials.saved) == 2


def test_the_new_pair_is_stored_before_it_is_used(x: XPlatform, people: Any, credentials: Any) -> None:
    people.do("fault", path="/2/users/me", status=500)
    with pytest.raises(Transient):
        x.identity()
    assert credentials.load() == credentials.saved[0]
    assert x.identity() == str(SCHOOL_ID)


def test_a_pair_that_could_not_be_stored_is_stored_on_the_next_call(x: XPlatform, people: Any, credentials: Any) -> None:
    x.identity()
    keep, credentials.token = credentials.save, replace(credentials.token, expires_at=datetime.now(UTC))

    def full(_: ports.Token) -> None:
        message = "the disk is full"
        raise Transient(message)

    credentials.save = full
    with pytest.raises(Transient, match="disk is full"):
        x.identity()
    credentials.save = keep
    people.do("fault", path="/2/oauth2/token", status=400)
    assert x.identity() == str(SCHOOL_ID)
    assert len(credentials.saved) == 2


def test_a_pair_that_could_not_be_stored_gives_way_to_one_that_a_person_has_connected_since(
    x: XPlatform, people: Any, credentials: Any, clock: Any
) -> None:
    x.identity()
    keep, credentials.token = credentials.save, replace(credentials.token, expires_at=datetime.now(UTC))

    def full(token: Any) -> None:
        del token
        message = "the disk is full"
        raise Transient(message)

    credentials.save = full
    with pytest.raises(Transient):
        x.identity()
    credentials.save, before = keep, len(credentials.saved)
    access, refresh = people.network.pairs.issue()
    credentials.token = replace(credentials.token, access=access, refresh=refresh, expires_at=clock.now() + timedelta(hours=2))
    x.identity()
    assert len(credentials.saved) == before
    assert credentials.token.access == access


@pytest.mark.parametrize(
    ("status", "error"), [(400, Unauthorised), (401, Unauthorised), (403, Refused), (429, RateLimited), (500, Transient)]
)
def test_a_refused_renewal_becomes_our_error(x: XPlatform, people: Any, credentials: Any, status: int, error: type[Exception]) -> None:
    people.do("fault", path="/2/oauth2/token", status=status)
    with pytest.raises(error):
        x.identity()
    assert credentials.saved == []


@pytest.mark.parametrize("behaviour", ["half", "garbled", "timeout"])
def test_a_broken_renewal_is_transient(connect: Callable[..., XPlatform], small: Running, people: Any, behaviour: str) -> None:
    x = connect(small, timeout=0.4)
    people.do("fault", path="/2/oauth2/token", behaviour=behaviour, seconds=3)
    with pytest.raises(Transient):
        x.identity()
    assert x.identity() == str(SCHOOL_ID)


def test_no_token_at_all_is_for_a_person(x: XPlatform, credentials: Any) -> None:
    credentials.token = None
    with pytest.raises(Unauthorised):
        x.identity()


def test_many_adapters_of_one_account_renew_once(connect: Callable[..., XPlatform], small: Running, credentials: Any) -> None:
    adapters = [connect(small) for _ in range(8)]
    seen: list[str] = []
    threads = [threading.Thread(target=lambda adapter=adapter: seen.append(adapter.identity())) for adapter in adapters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [str(SCHOOL_ID)] * 8
    assert len(credentials.saved) == 1


def test_a_pair_that_somebody_has_renewed_meanwhile_is_used_as_it_is(small: Running, credentials: Any, clock: Any) -> None:
    stale, credentials.token = credentials.token, ports.Token("newer", "newer", datetime(2100, 1, 1, tzinfo=UTC))
    session = open_session(small.url, 5)
    keys = Keys(credentials, session=session, clock=clock, api_url=small.url, client_id="c", client_secret="")
    assert keys.renewed(stale) == credentials.token
    assert credentials.saved == []


def test_whoever_comes_second_uses_what_the_first_process_stored(x: XPlatform, people: Any, credentials: Any) -> None:
    """Another process renews between our look at the pair and our renewal: X refuses ours, and the stored one is used."""
    x.identity()
    mine = credentials.load()
    traded = people.network.pairs.trade(mine.refresh)
    assert traded is not None
    assert people.network.pairs.accepts(traded[0])  # from here on our pair is dead
    theirs = ports.Token(traded[0], traded[1], datetime.now(UTC) + timedelta(hours=2))
    looks = iter([mine, mine, theirs])
    credentials.load = lambda: next(looks)
    assert x.identity() == str(SCHOOL_ID)
    assert len(credentials.saved) == 1


def test_a_confidential_client_signs_its_renewal(small: Running, credentials: Any, clock: Any) -> None:
    adapter = XPlatform(
        platform_id=str(SCHOOL_ID),
        handle="oakfieldprimary",
        credentials=credentials,
        clock=clock,
        client_id="practice-client",
        client_secret="practice-only",  # noqa: S106 - opens nothing
        api_url=small.url,
    )
    assert adapter.identity() == str(SCHOOL_ID)


def test_a_token_shows_nothing(x: XPlatform, credentials: Any) -> None:
    x.identity()
    assert credentials.load().access not in repr(credentials.load())
    assert credentials.load().access not in repr(vars(x))


def test_killed_between_the_renewal_and_its_storing_the_old_pair_still_works_here(small: Running) -> None:
    """Only on the practice network: a rehearsal that is killed must be able to go on. On X a person authorises the account again."""
    pairs = small.network.pairs
    first = pairs.trade("practice-only-first-refresh-token")
    assert first is not None
    lost, kept = pairs.trade(first[1]), pairs.trade(first[1])
    assert lost is not None
    assert kept is not None
    assert pairs.accepts(first[0])
    assert pairs.accepts(kept[0])
    assert not pairs.accepts(lost[0])
    assert pairs.trade(first[1]) is None
    assert pairs.trade("never issued") is None
