"""The read-only API: what a token reads and does not, no names in any answer, and schemathesis over its own description."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from review_app import Served
from schemathesis import Case, checks
from schemathesis.core.result import Ok

from moderator.domain.access import Role
from moderator.domain.readers import Scope
from moderator.store import readers
from moderator.web.api import access

ADDRESSES = ("records", "decisions", "counts/2026-11-18", "accounts")
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


def token(served: Served, *scopes: Scope, school: str = "oakfield") -> dict[str, str]:
    """Return the header of a new token."""
    secret = f"mod_{school}-{'-'.join(scopes)}-secret"
    now = served.stage.clock.now()
    with served.stage.database.unit() as unit:
        readers.add_token(unit.connection, secret, label="t", school=school, scopes=scopes, made_by="CEO-1", at=now, expires_on=now.date())
    return {"Authorization": f"Bearer {secret}"}


def ask(served: Served, address: str, headers: dict[str, str], *, school: str = "oakfield") -> httpx.Response:
    return served.stranger.get(f"/api/v1/schools/{school}/{address}", headers=headers)


def test_each_token_reads_its_own_school_and_its_own_scopes_only(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    addresses = (*ADDRESSES, f"records/{served.record_id(item)}")
    needs = {"decisions": Scope.DECISIONS, "counts/2026-11-18": Scope.COUNTS, "accounts": Scope.COUNTS}
    for scope in Scope:
        own, other = token(served, scope), token(served, scope, school="ashford")
        for address in addresses:
            fits = needs.get(address, Scope.RECORDS) is scope
            assert ask(served, address, own).status_code == (200 if fits else 403), (scope, address)
            assert ask(served, address, other).status_code == (404 if fits else 403), (scope, address)
            assert ask(served, address, own, school="nowhere").status_code == (404 if fits else 403)
    everywhere = token(served, Scope.RECORDS, school="")
    assert [ask(served, "records", everywhere, school=school).status_code for school in ("oakfield", "ashford")] == [200, 200]
    ashford = {"Authorization": "Bearer mod_ashford-records-secret"}
    assert ask(served, f"records/{served.record_id(item)}", ashford, school="ashford").status_code == 404


def test_no_token_gets_nothing_and_a_session_is_no_token(served: Served) -> None:
    for headers in ({}, {"Authorization": "Bearer mod_unknown"}, {"Authorization": "Basic eDp5"}):
        for address in ADDRESSES:
            answer = ask(served, address, headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert "detail" in answer.json()
    assert served.clients[Role.CEO].get("/api/v1/schools/oakfield/records").status_code == 401


def test_a_token_past_its_last_day_reads_nothing(served: Served) -> None:
    headers = token(served, Scope.RECORDS)
    assert ask(served, "records", headers).status_code == 200
    served.stage.clock.move(timedelta(days=1))
    assert ask(served, "records", headers).status_code == 401


def test_no_answer_holds_a_name_a_handle_or_a_word_of_a_comment(served: Served) -> None:
    item, other = served.seen("Tilly Marwood is an idiot", "You are an idiot too")
    assert served.decide(other, "uphold", "Tilly Marwood was abused here.").status_code == 303
    headers = token(served, *Scope)
    said = "".join(ask(served, address, headers).text for address in (*ADDRESSES, f"records/{served.record_id(item)}"))
    for word in ("Tilly", "Marwood", "idiot", "Fern", "fern_ashwick", "social.example", "abused here", "Tamsin"):
        assert word not in said, word
    found = ask(served, "records", headers).json()["records"]
    assert [(each["item"], each["state"], "name" in each["grounds"]) for each in found] == [(1, "hidden", True), (2, "upheld", False)]
    decided = ask(served, "decisions", headers).json()["decisions"]
    assert [(each["item"], each["verdict"], each["actor"]) for each in decided] == [(2, "uphold", "HEAD-1")]


def test_r15_disclosures_and_r17_withheld_items_are_not_given_out(served: Served) -> None:
    served.seen("This is a disclosure of harm", "indecent_image", "You are an idiot")
    plain, safe = token(served, Scope.RECORDS), token(served, Scope.RECORDS, Scope.SAFEGUARDING)
    assert [each["item"] for each in ask(served, "records", plain).json()["records"]] == [3]
    shown = ask(served, "records", safe).json()["records"]
    assert [each["item"] for each in shown] == [1, 3]
    assert ask(served, f"records/{shown[0]['record_id']}", plain).status_code == 404
    assert ask(served, f"records/{shown[0]['record_id']}", safe).status_code == 200


def test_pages_lead_through_everything_once(served: Served) -> None:
    served.seen(*(f"You are an idiot, number {number}" for number in range(5)))
    headers, after, seen = token(served, Scope.RECORDS), 0, []
    while after is not None:
        page = ask(served, f"records?limit=2&after={after}", headers).json()
        seen += [each["item"] for each in page["records"]]
        after = page["next"]
    assert seen == [1, 2, 3, 4, 5]


def test_too_many_requests_in_a_minute_are_asked_to_wait(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert access.A_MINUTE > 100
    monkeypatch.setattr(access, "_LIMIT", RateLimitItemPerMinute(2))
    monkeypatch.setattr(access, "_limiter", MovingWindowRateLimiter(MemoryStorage()))
    headers = token(served, Scope.RECORDS)
    answers = [ask(served, "records", headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "60"


def test_it_changes_nothing_and_says_when_it_was_last_used(served: Served) -> None:
    headers = token(served, Scope.RECORDS)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert served.stranger.request(method, "/api/v1/schools/oakfield/records", headers=headers).status_code == 405
    for _ in range(2):
        assert ask(served, "records", headers).headers["content-type"] == "application/json"
    with served.stage.database.reading() as connection:
        used = readers.tokens_of(connection, "oakfield")[0].used_at
    assert used is not None


def test_schemathesis_finds_no_server_error_and_nothing_undescribed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_LIMIT", RateLimitItemPerMinute(10**9))
    item = served.seen("You are an idiot")[0]
    served.decide(item, "uphold")
    headers = token(served, *Scope, school="")
    labels = []
    for found in schemathesis.openapi.from_url(f"{served.url}/api/v1/openapi.json").get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        labels.append(operation.label)

        @settings(max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def holds(case: Case[Any]) -> None:
            case.call_and_validate(base_url=f"{served.url}/api/v1", headers=headers, checks=CHECKS)

        holds()
    assert len(labels) == len(ADDRESSES) + 1
