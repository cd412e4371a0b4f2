"""The stranger test: every route by every role, at their own school and at another, against the table of `domain.access` (R3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest
import sqlalchemy as sa
from cast import ASHFORD, SCHOOL_ROLES, TRUST_ROLES
from playwright.sync_api import Browser
from review_app import Served, handed_in
from seen_pages import clean_in_both, sign_in
from sqlmodel import SQLModel
from stage import SCHOOL

from moderator.domain.access import MAY, Role
from moderator.domain.readers import Scope
from moderator.store import readers, register
from moderator.store.outbox import DIGESTS
from moderator.web.app import every_route
from moderator.web.need import Need, needs_of, of_first, of_trust

NEEDS = needs_of(every_route())
GUARDED = {route: need for route, need in NEEDS.items() if isinstance(need, Need)}
SIGNED_IN = {route for route, need in NEEDS.items() if need == "signed_in"}
REFUSED = {401, 403, 404}
PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass(frozen=True, slots=True)
class Peopled:
    """The app with one of everything at Oakfield. `names` fills the parameters of an address."""

    served: Served
    names: Mapping[str, str]

    def address(self, path: str) -> str:
        """Return a route's address for what is Oakfield's. A parameter that is new here must be given a value in `peopled`."""
        names = {**self.names, "record_id": self.names["submitted_id" if path.startswith("/submitted") else "record_id"]}
        return PARAMETER.sub(lambda found: names[found[1]], path) + f"?school={SCHOOL.slug}"

    def ask(self, client: httpx.Client, method: str, path: str) -> int:
        """Return the status a client gets, with an empty form where there is one."""
        return client.request(method, self.address(path)).status_code


@pytest.fixture
def peopled(served: Served) -> Peopled:
    """Return the app over one flagged comment, one record handed in, and everything else there is one of."""
    item = served.seen("You are an idiot")[0]
    submitted = handed_in(served)
    now = served.stage.clock.now()
    with served.stage.database.unit() as unit:
        readers.add_token(
            unit.connection,
            "mod_secret",
            label="The MIS",
            school=SCHOOL.slug,
            scopes=(Scope.RECORDS,),
            made_by="HEAD-1",
            at=now,
            expires_on=now.date(),
        )
        readers.add_webhook(
            unit.connection, school=SCHOOL.slug, url="https://mis.example", sealed_secret=b"x", events=(), made_by="HEAD-1", at=now
        )
        digest = {"school": SCHOOL.slug, "day": now.date(), "key": "digest", "head_seq": 1, "head_hash": "0" * 64, "composed_at": now}
        unit.connection.execute(sa.insert(DIGESTS).values(digest))
        admin = register.acting_by_reference(unit.connection, "ADMIN-1", now.date())
    assert admin is not None
    names = {
        "school": SCHOOL.slug,
        "item_id": str(item),
        "record_id": served.record_id(item),
        "submitted_id": submitted,
        "account_id": str(served.stage.account.id),
        "designation_id": str(admin.designations[0].id),
        "person_id": str(admin.person.id),
        "token_id": "1",
        "webhook_id": "1",
        "name": "data/record.json",
        "number": "1",
        "day": "2026-11-18",
        "reference": "0123456789abcdef",
        "absence_id": "1",
        "alert_id": "1",
        "delegation_id": "1",
        "kind": "flagged",
        "word": "unknown",
        "part": "digest-opening",
    }
    return Peopled(served, names)


def allowed(need: Need, role: Role) -> bool:
    """Return what the table says of a role at its own school. What needs every school of the trust is not for one school's people."""
    return role in MAY[need.action] and (need.of is not of_trust or role in TRUST_ROLES)


def test_r3_every_role_at_its_own_school_gets_what_the_table_says(peopled: Peopled) -> None:
    wrong = []
    for (method, path), need in sorted(GUARDED.items()):
        for role in Role:
            status = peopled.ask(peopled.served.clients[role], method, path)
            fine = status < 500 and (status not in REFUSED if allowed(need, role) else status == 403)
            wrong += [] if fine else [f"{method} {path} as {role.value}: {status}, and the table says {allowed(need, role)}"]
    assert wrong == []


def test_r3_nobody_of_another_school_reaches_anything_of_this_one(peopled: Peopled) -> None:
    wrong = []
    for (method, path), need in sorted(GUARDED.items()):
        if need.of is of_first:
            continue
        for role in SCHOOL_ROLES:
            status = peopled.ask(peopled.served.others[role], method, path)
            wrong += (
                [] if status == (403 if need.of is of_trust else 404) else [f"{method} {path} as {ASHFORD.slug}'s {role.value}: {status}"]
            )
    assert wrong == []


def test_r3_an_id_of_one_school_is_nothing_under_anothers_address(peopled: Peopled) -> None:
    """A page of it is a 404, and whatever a form says, nothing changes."""
    ids = {"person_id", "token_id", "webhook_id", "absence_id", "delegation_id", "designation_id"}
    moved = Peopled(peopled.served, {**peopled.names, "school": ASHFORD.slug})
    assert [peopled.served.others[role].get("/security").status_code for role in (Role.HEAD, Role.ADMIN)] == [200, 200]
    before, wrong = everything(peopled.served), []
    for (method, path), need in sorted(GUARDED.items()):
        if "{school}" not in path or not set(PARAMETER.findall(path)) & ids:
            continue
        for role in (Role.HEAD, Role.ADMIN):
            status = moved.ask(peopled.served.others[role], method, path)
            fine = status == 403 if not allowed(need, role) else status == 404 or (method == "POST" and status in {303, 400, 409})
            wrong += [] if fine else [f"{method} {path} as {ASHFORD.slug}'s {role.value}: {status}"]
    assert wrong == []
    assert everything(peopled.served) == before


def test_r3_a_stranger_gets_nothing_but_the_way_in(peopled: Peopled) -> None:
    wrong = [
        f"{method} {path}: {status}"
        for method, path in sorted({*GUARDED, *SIGNED_IN})
        if (status := peopled.ask(peopled.served.stranger, method, path)) != 401
    ]
    assert wrong == []


def test_r3_an_ended_designation_ends_the_session_at_once(peopled: Peopled) -> None:
    served = peopled.served
    admin = served.clients[Role.ADMIN]
    assert admin.get("/").status_code == 200
    with served.stage.database.unit() as unit:
        found = register.acting_by_reference(unit.connection, "ADMIN-1", served.stage.clock.now().date())
        assert found is not None
        register.end_designation(
            unit.connection, found.designations[0].id, by="HEAD-1", reason="Left the school.", at=served.stage.clock.now()
        )
    assert {peopled.ask(admin, method, path) for method, path in GUARDED} == {401}


def test_axe_finds_nothing_on_any_page_there_is(peopled: Peopled, browser: Browser) -> None:
    """Every page that a GET gives the CEO, uncovered, in light at 320 and dark at 1280. A new page is among them by itself."""
    context = browser.new_context(bypass_csp=True)
    page, wrong, seen = context.new_page(), [], 0
    sign_in(page, peopled.served, "CEO-1")
    for method, path in sorted(NEEDS):
        if method != "GET" or "." in path or "files" in path or set(PARAMETER.findall(path)) - peopled.names.keys():
            continue
        answer = page.goto(peopled.served.url + peopled.address(path))
        if answer is None or not answer.headers["content-type"].startswith("text/html"):
            continue
        seen += answer.status == 200
        for summary in page.locator("summary:visible").all():
            summary.click()
        wrong += [(path, fault) for fault in clean_in_both(page)]
    assert wrong == []
    assert seen > 30
    context.close()


INLINE = re.compile(r"<script(?![^>]* src=\"/static/)[^>]*>|<script[^>]*>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:|hx-on")
ELSEWHERE = re.compile(r"(?:src|action|data|poster)=\"(?!/)|<link[^>]* href=\"(?!/)")

MAIL_IN_A_FRAME = "/schools/{school}/digests/preview/mail"
"""The HTML of a mail as it is sent, so with styles of its own: the one page that may, since its header lets it do nothing else."""


def test_no_page_has_inline_script_or_style_or_asks_anybody_else(peopled: Peopled) -> None:
    ceo, seen = peopled.served.clients[Role.CEO], 0
    for method, path in sorted(NEEDS):
        if method != "GET" or set(PARAMETER.findall(path)) - peopled.names.keys():
            continue
        answer = ceo.get(peopled.address(path))
        if path == MAIL_IN_A_FRAME:
            policy = answer.headers["content-security-policy"].split("; ")
            assert {"default-src 'none'", "style-src 'unsafe-inline'", "sandbox", "frame-ancestors 'self'"} <= set(policy)
            assert not any(each.startswith(("script-src", "img-src", "connect-src")) for each in policy)
            assert "<script" not in answer.text
        elif answer.headers.get("content-type", "").startswith("text/html"):
            seen += 1
            assert INLINE.search(answer.text) is None, path
            assert ELSEWHERE.search(answer.text) is None, path
    assert seen > 30
    for bad in ("<p onclick=x>", "<script>x</script>", '<script src="https://elsewhere.example/x.js"></script>', "<p style='x'>"):
        assert INLINE.search(bad), bad
    assert ELSEWHERE.search('<img src="https://elsewhere.example/x.png">')


def everything(served: Served) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, but for what looking itself leaves behind: views in the ledger, and when a session was seen."""
    kept = {}
    with served.stage.database.reading() as connection:
        for table in SQLModel.metadata.sorted_tables:
            if table.name in {"ledger_heads", "sign_ins"}:
                continue
            wanted = sa.select(table).where(table.c.event != "viewed") if table.name == "ledger" else sa.select(table)
            columns = [column for column in wanted.selected_columns if table.name != "ledger" or column.name not in {"seq", "line", "hash"}]
            kept[table.name] = [
                tuple(row) for row in connection.execute(wanted.with_only_columns(*columns).order_by(*table.primary_key.columns))
            ]
    return kept


def test_no_get_changes_anything(peopled: Peopled) -> None:
    ceo, dsl, head = (peopled.served.clients[role] for role in (Role.CEO, Role.DSL, Role.HEAD))
    before = everything(peopled.served)
    for method, path in sorted({*GUARDED, *SIGNED_IN}):
        for client in (ceo, dsl, head) if method == "GET" else ():
            assert peopled.ask(client, "GET", path) < 500, path
    assert everything(peopled.served) == before
