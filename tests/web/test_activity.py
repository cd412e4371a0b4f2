"""Activity: the ledger in plain words, for those who may see it, and its copy without names."""

import csv
import io
import re
from itertools import chain
from pathlib import Path

import pytest
import sqlalchemy as sa
from cast import NAMES
from lists_app import Listed, lists_app
from stage import comment

from moderator.domain.access import MAY, Action, Role
from moderator.domain.events import Event
from moderator.domain.record import record_id
from moderator.steps.decide import decide
from moderator.steps.poll import poll
from moderator.steps.score import score
from moderator.store.items import ITEMS
from moderator.web import activity
from moderator.web.activity_words import KINDS, actor_words, happened_words


def shown(page: str) -> list[str]:
    """Return what the page says happened, newest first."""
    return re.findall(r"<li>\n<strong>(.*?)</strong>", page)


def test_every_event_is_of_one_kind() -> None:
    met = [event for kind in KINDS.values() for event in kind.events]
    assert sorted(met) == sorted(Event)


@pytest.mark.parametrize(
    ("event", "reason", "said"),
    [
        ("reviewed", "uphold", "Decided: keep the decision"),
        ("registered", "designated", "A person was designated"),
        ("registered", "a_new_code", "A new code"),
        ("registered", "", "The register was changed"),
        ("signed_in", "passkey", "Signed in with a passkey"),
        ("signed_in", "some_new_way", "Signed in"),
        ("exported", "list", "A list was copied out"),
        ("exported", "", "Copied out for somebody"),
        ("verified", "", "The service checked its own records"),
        ("flagged", "hide", "Flagged"),
    ],
)
def test_a_code_is_told_in_words(event: str, reason: str, said: str) -> None:
    assert happened_words(event, reason) == said


def test_an_actor_that_is_no_person_is_told_in_words() -> None:
    assert [actor_words(each) for each in ("service", "console", "HEAD-1")] == ["The service", "Somebody at the machine itself", ""]


def test_it_says_who_did_what_with_names_on_the_page_only(listed: Listed) -> None:
    page = listed.get(Role.CEO, "activity?who=HEAD-1&kind=decided")
    assert shown(page) == ["Shown again", "Decided: show it again", "Decided: keep the decision"]
    assert f"{NAMES[Role.HEAD]} (HEAD-1)" in page
    assert listed.named_on(page) == {"insult", "false"}
    answer = listed.served.clients[Role.CEO].post("/schools/oakfield/activity.csv?who=HEAD-1&kind=decided")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["Who"] for row in rows] == ["HEAD-1"] * 3
    assert NAMES[Role.HEAD] not in answer.text
    assert [int(row["Line"]) for row in rows] == sorted((int(row["Line"]) for row in rows), reverse=True)
    assert listed.lines("exported")[-1]["subject"] == "activity-list"


def test_days_narrow_it(listed: Listed) -> None:
    assert shown(listed.get(Role.CEO, "activity?kind=decided&until=2026-11-18")) == ["Decided: keep the decision"]
    assert shown(listed.get(Role.CEO, "activity?kind=decided&since=2026-11-19"))[-1] == "Decided: show it again"
    assert "Nothing is like that." in listed.get(Role.CEO, "activity?since=2026-12-01")
    assert "Nothing is like that." in listed.get(Role.CEO, "activity?until=2026-01-01")


def test_r17_what_was_withheld_leads_to_what_to_do(listed: Listed) -> None:
    assert 'href="/items/6">item 6</a>' in listed.get(Role.HEAD, "activity?kind=comments")


def test_whoever_sees_it_may_copy_it() -> None:
    assert MAY[Action.SEE_ACTIVITY] <= MAY[Action.EXPORT]


def test_a_digest_leads_to_its_page(listed: Listed) -> None:
    page = listed.get(Role.HEAD, "activity?kind=service")
    assert 'href="/schools/oakfield/digests/2026-11-18">digest of Wednesday 18 November 2026</a>' in page


def test_r15_lines_about_a_disclosure_are_for_the_safeguarding_leads(listed: Listed) -> None:
    assert "crisis" in listed.named_on(listed.get(Role.SAFEGUARDING_LEAD, "activity"))
    for role in (Role.CEO, Role.HEAD, Role.AUDITOR):
        page = listed.get(role, "activity")
        assert "crisis" not in listed.named_on(page), role
        assert "/items/4" not in page
        answer = listed.served.clients[role].post("/schools/oakfield/activity.csv")
        assert "crisis" not in listed.named_on(answer.text), role
        assert "item-4" not in answer.text


def test_r15_so_are_those_from_before_its_record_is_sealed(migrated_file: Path, tmp_path: Path) -> None:
    with lists_app(migrated_file, tmp_path) as served:
        served.stage.platform.comments.append(comment(40, "There is a crisis"))
        for step in (poll, score, decide):
            step(served.stage.tools)
        with served.stage.database.reading() as connection:
            wanted = sa.select(ITEMS.c.platform, ITEMS.c.comment_id, ITEMS.c.version, ITEMS.c.record_id, ITEMS.c.state)
            platform, number, version, sealed, state = connection.execute(wanted).one()
        assert (sealed, state) == (None, "flagged")
        its = record_id("oakfield", platform, number, version)
        assert its in served.clients[Role.SAFEGUARDING_LEAD].get("/schools/oakfield/activity").text
        assert its not in served.head.get("/schools/oakfield/activity").text
        assert its not in served.head.post("/schools/oakfield/activity.csv").text


@pytest.mark.parametrize("role", [Role.DEPUTY, Role.DSL, Role.ADMIN, Role.TRUSTEE])
def test_who_may_not_see_it_is_refused(listed: Listed, role: Role) -> None:
    client = listed.served.clients[role]
    assert client.get("/schools/oakfield/activity").status_code == 403
    assert client.post("/schools/oakfield/activity.csv").status_code == 403


def test_pages_go_on_where_the_last_one_ended(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "A_PAGE", 7)
    head, address, pages = listed.served.head, "/schools/oakfield/activity?kind=comments", []
    while address:
        page = head.get(address).text
        pages.append(shown(page))
        address = page.partition('">Older</a>')[0].rpartition('href="')[2].replace("&amp;", "&") if "Older</a>" in page else ""
    assert max(len(each) for each in pages) <= 7
    monkeypatch.setattr(activity, "A_PAGE", 500)
    assert list(chain(*pages)) == shown(head.get("/schools/oakfield/activity?kind=comments").text)


def test_what_cannot_be_understood_is_told(listed: Listed) -> None:
    for asked, said in (("since=soon", "Give a day like"), ("since=2026-11-19&until=2026-11-18", "The last day is before")):
        answer = listed.served.head.get(f"/schools/oakfield/activity?{asked}")
        assert answer.status_code == 400
        assert said in answer.text
        assert listed.served.head.post(f"/schools/oakfield/activity.csv?{asked}").status_code == 400


def test_a_copy_is_read_in_parts_and_not_too_long(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "A_READ", 5)
    head = listed.served.head
    whole = head.post("/schools/oakfield/activity.csv?kind=comments").text
    monkeypatch.setattr(activity, "MOST", 3)
    answer = head.post("/schools/oakfield/activity.csv?kind=comments")
    assert whole.count("\n") > 20
    assert answer.status_code == 400
    assert "That is more than 3 lines" in answer.text
