"""What a school does about its own mails: rehearse a route (R21), add words of its own (R28, R32), look at today's digest (R15, R21)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from lists_app import lists_app
from playwright.sync_api import Browser
from review_app import Served
from seen_pages import PHONE, sign_in
from stage import NOON, SCHOOL

from moderator.domain.access import Role
from moderator.domain.mail_words import Part
from moderator.domain.routes import RouteKind
from moderator.domain.score import Score
from moderator.learn.classifier import ConstantClassifier
from moderator.learn.pii import personal_data
from moderator.mail.compose import JinjaComposer
from moderator.settings import ASSETS
from moderator.steps.rehearse import NO_ALERTS
from moderator.store import absences, mail_words, register
from moderator.store.ledger import LEDGER
from moderator.web.preview import as_shown

AT = "/schools/oakfield"
COMING = httpx.codes.SEE_OTHER
WHY = "So that people know whom to ring"


@pytest.fixture(scope="module")
def app(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield one app for all tests here, with one comment of each sort: an insult, one that names the deputy, a disclosure."""
    with lists_app(migrated_file, tmp_path_factory.mktemp("mails")) as made:
        made.seen("You are an idiot", "Tilly Marwood is an idiot", "this reads as crisis")
        yield made


def number(app: Served, role: Role) -> int:
    with app.stage.database.reading() as connection:
        return register.holders(connection, "oakfield", app.stage.clock.now().date(), role)[role][0].id


def last_line(app: Served) -> str:
    wanted = sa.select(LEDGER.c.line).where(LEDGER.c.school == "oakfield").order_by(LEDGER.c.seq.desc()).limit(1)
    with app.stage.database.reading() as connection:
        return str(connection.execute(wanted).scalar_one())


def outbox(app: Served, like: str) -> list[str]:
    with app.stage.database.reading() as connection:
        rows = connection.execute(sa.text("SELECT key FROM outbox WHERE key LIKE :like ORDER BY id"), {"like": like})
        return list(rows.scalars())


def flat(page: str) -> str:
    return " ".join(page.split())


def readers(page: str) -> list[str]:
    """Return the addresses that the confirmation page says get a mail."""
    return re.findall(r'name="seen" value="([^"]+)"', page)


def test_r21_a_rehearsal_is_offered_for_every_alert_and_a_preview_for_the_rest(app: Served) -> None:
    page = app.head.get(f"{AT}/routes").text
    for kind in RouteKind:
        card = next(each for each in page.split("<li") if f"{AT}/routes/{kind.value}" in each)
        assert ("Send a rehearsal" in card) == (kind not in NO_ALERTS)
    assert f"{AT}/digests/preview" in page
    assert "Send a rehearsal" not in app.clients[Role.DEPUTY].get(f"{AT}/routes").text
    assert app.clients[Role.DEPUTY].post(f"{AT}/routes/flagged/rehearse").status_code == 403
    instead = app.head.get(f"{AT}/routes/digest/rehearse").text
    assert "Look at the preview" in instead
    assert 'method="post" action="/schools/oakfield/routes' not in instead
    assert f"{AT}/digests/preview?report=weekly" in app.head.get(f"{AT}/routes/weekly/rehearse").text
    assert f"{AT}/digests/preview?report=termly" in page
    assert app.head.post(f"{AT}/routes/weekly/rehearse").status_code == 400


def test_r21_the_page_says_exactly_who_gets_a_mail_and_then_they_do(app: Served) -> None:
    address = f"{AT}/routes/safeguarding/rehearse"
    page = app.head.get(address).text
    assert readers(page) == ["dsl@oakfield.example", "tsl@oakfield.example"]
    assert "Bronwen Adeyemi" in page
    others = app.head.post(address, data={"seen": ["dsl@oakfield.example"]})
    assert (others.status_code, "others than you were shown" in others.text, outbox(app, "rehearsal-%")) == (400, True, [])
    sent = app.head.post(address, data={"seen": readers(page)})
    assert (sent.status_code, sent.headers["location"]) == (COMING, f"{AT}/routes?done=rehearsed")
    assert len(outbox(app, "rehearsal-oakfield-safeguarding-%")) == len(readers(page))
    assert "on its way" in app.head.get(sent.headers["location"]).text
    assert '"subject":"route-safeguarding","actor":"HEAD-1","reason":"route_rehearsed"' in last_line(app)
    with app.stage.database.reading() as connection:
        alert = connection.execute(sa.text("SELECT id FROM alerts WHERE kind = 'rehearsal'")).scalar_one()
    for role in (Role.DSL, Role.SAFEGUARDING_LEAD):
        assert "This is a rehearsal" in app.clients[role].get(f"{AT}/alerts/{alert}").text
        assert app.clients[role].post(f"{AT}/alerts/{alert}/seen").status_code == COMING
    shown = app.head.get(f"{AT}/alerts/{alert}").text
    assert "Bronwen Adeyemi (DSL-1)" in shown
    assert "Idris Penhale (TSL-1)" in shown
    again = app.head.post(address, data={"seen": readers(page)})
    assert (again.status_code, "less than an hour ago" in again.text) == (400, True)


def test_r21_it_is_rehearsed_as_if_it_were_about_somebody_or_somebody_were_away(app: Served) -> None:
    address, deputy, head = f"{AT}/routes/severe/rehearse", number(app, Role.DEPUTY), number(app, Role.HEAD)
    assert readers(app.head.get(address).text) == ["head@oakfield.example"]
    unplaced = app.head.get(f"{address}?named={head}").text
    assert "Nobody has said who Tamsin Okoro is on the roll" in flat(unplaced)
    assert readers(unplaced) == []
    assert app.head.post(address, data={"named": head, "seen": ["head@oakfield.example"]}).status_code == 400
    assert readers(app.head.get(f"{address}?named=9999").text) == ["head@oakfield.example"]
    with app.stage.database.unit() as unit:
        day = app.stage.clock.now().date()
        absences.note_absence(unit.connection, person_id=head, first_day=day, last_day=day, noted_by="HEAD-1", at=NOON)
    assert readers(app.head.get(address).text) == ["deputy@oakfield.example"]
    about = app.head.get(f"{address}?named={deputy}").text
    assert readers(about) == ["ceo@oakfield.example"]
    assert app.head.post(address, data={"named": deputy, "seen": readers(about)}).status_code == COMING
    with app.stage.database.unit() as unit:
        unit.connection.execute(sa.text("DELETE FROM absences"))


REFUSED = (
    ("Tilly Marwood takes the calls.", "may be somebody&#39;s name"),
    ("Ring us.\nAsk at the desk.\nThank you.", "one paragraph or two"),
    ("x " * 200, "300 letters"),
    ("<b>Ring us</b>", "no markup"),
    ("Look at https://elsewhere.example", "not the school&#39;s own"),
    ("Write to fern@elsewhere.example", "not the school&#39;s own"),
    ("Ring 01632 960 123", "telephone number"),
    ("Ring\u202eus", "cannot be seen"),
)


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_r28_words_that_may_not_go_are_refused_with_one_line(app: Served, words: str, said: str) -> None:
    refused = app.head.post(f"{AT}/mail-words/alert-opening", data={"words": words, "why": WHY})
    assert (refused.status_code, "Nothing was kept" in refused.text, said in refused.text) == (400, True, True)
    with app.stage.database.reading() as connection:
        assert mail_words.versions(connection, "oakfield", limit=9) == []


class Finds(ConstantClassifier):
    """The shipped constant classifier with the real finder of personal data; implements ports.Classifier."""

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return a score a text."""
        return [replace(score, pii=personal_data(text)) for text, score in zip(texts, super().score(texts, parents=parents), strict=True)]


def test_r26_somebodys_own_address_is_refused_and_the_schools_is_not(app: Served) -> None:
    site = app.app.state.site
    app.app.state.site = replace(site, tools=replace(site.tools, classifier=Finds()))
    try:
        refused = app.head.post(f"{AT}/mail-words/alert-opening", data={"words": "Come to 12 Heron Street.", "why": WHY})
        assert (refused.status_code, "12 Heron Street\u201d reads as" in refused.text) == (400, True)
        fine = {"words": "Write to office@oakfield.example.", "why": WHY}
        assert app.head.post(f"{AT}/mail-words/alert-opening", data=fine).status_code == COMING
    finally:
        app.app.state.site = site


def test_r32_words_are_kept_with_who_and_why_and_shown_among_what_is_locked(app: Served) -> None:
    assert "None yet." in app.head.get(f"{AT}/mail-words").text
    assert "oakfield.example" in app.head.get(f"{AT}/mail-words/digest-opening").text
    assert app.head.post(f"{AT}/mail-words/digest-opening", data={"words": "Good morning.", "why": "no"}).status_code == 400
    typed = "Good morning.\r\n\r\nMore at https://www.oakfield.example/safe."
    kept = app.head.post(f"{AT}/mail-words/digest-opening", data={"words": typed, "why": WHY})
    assert (kept.status_code, kept.headers["location"]) == (COMING, f"{AT}/mail-words?done=changed")
    assert '"subject":"mail-words-digest-opening","actor":"HEAD-1","reason":"mail_words_changed"' in last_line(app)
    assert "Good morning" not in last_line(app)
    page = app.head.get(kept.headers["location"]).text
    assert "Every mail from now on has it." in page
    assert f"Tamsin Okoro: {WHY}" in page
    digest = page[page.index("Every digest") :]
    order = ["the headline", "Good morning.", "What needs you", "About this message"]
    assert [digest.index(each) for each in order] == sorted(digest.index(each) for each in order)
    assert "Good morning." in app.head.get(f"{AT}/mail-words/digest-opening").text
    assert app.head.post(f"{AT}/mail-words/digest-opening", data={"words": typed, "why": WHY}).status_code == 400, "it is so already"
    assert app.clients[Role.DEPUTY].get(f"{AT}/mail-words").status_code == 403
    assert app.others[Role.HEAD].get(f"{AT}/mail-words").status_code == 404
    assert app.head.get(f"{AT}/mail-words/subject").status_code == 404
    links = app.head.get(f"{AT}/digests").text
    assert f"{AT}/mail-words" in links
    assert f"{AT}/digests/preview" in links
    assert f"{AT}/mail-words" not in app.clients[Role.DEPUTY].get(f"{AT}/digests").text


def test_r28_words_that_name_somebody_by_now_are_told_to_those_who_can_change_them(app: Served) -> None:
    with app.stage.database.unit() as unit:  # as if the name had come to the roll later
        mail_words.put_words(
            unit.connection, school="oakfield", part=Part.ALERT_CLOSING, words=("Tell Tilly Marwood.",), author="HEAD-1", why=WHY, at=NOON
        )
    page = app.head.get(f"{AT}/mail-words").text
    assert page.count("These words are in no mail now") == 1
    assert "They are left out of every alert:" in app.head.get(f"{AT}/health").text
    assert app.head.post(f"{AT}/mail-words/alert-closing", data={"words": "", "why": WHY}).status_code == COMING
    page = app.head.get(f"{AT}/mail-words").text
    assert "These words are in no mail now" not in page
    assert "They are left out" not in app.head.get(f"{AT}/health").text
    assert "taken away" in page


def test_the_preview_is_the_mail_of_today_so_far_and_shut_in(app: Served) -> None:
    page = app.head.get(f"{AT}/digests/preview")
    assert "You would get this mail if it were sent now" in flat(page.text)
    assert "head@oakfield.example" in page.text
    assert "Wednesday 18 November 2026" in page.text
    assert "Good morning." in page.text
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    mail = app.head.get(f"{AT}/digests/preview/mail")
    assert "Good morning." in mail.text
    assert "href=" not in mail.text
    assert "sandbox" in mail.headers["content-security-policy"]
    assert mail.headers["x-frame-options"] == "SAMEORIGIN"
    assert "frame-src" not in app.head.get(f"{AT}/digests").headers["content-security-policy"]
    assert app.head.get(f"{AT}/digests").headers["x-frame-options"] == "DENY"
    assert outbox(app, "digest-%") == []
    assert "You do not get the digest" in app.clients[Role.AUDITOR].get(f"{AT}/digests/preview").text
    assert app.clients[Role.TRUSTEE].get(f"{AT}/digests/preview/mail").status_code == 403


def test_r15_r21_everybody_sees_their_own_preview(app: Served) -> None:
    with app.stage.database.reading() as connection:
        insult, naming, crisis = (f"/items/{row}" for row in connection.execute(sa.text("SELECT id FROM items ORDER BY id")).scalars())

    def told(role: Role) -> set[str]:
        text = app.clients[role].get(f"{AT}/digests/preview").text
        return {item for item in (insult, naming, crisis) if re.search(rf"{item}\b", text)}

    assert told(Role.HEAD) == {insult, naming}
    assert told(Role.DEPUTY) == {insult}, "one names them, one is not theirs to read"
    assert told(Role.DSL) == {insult, naming, crisis}


def test_the_reports_can_be_looked_at_so_far_and_again_later(app: Served) -> None:
    assert f"{AT}/digests/preview?report=weekly" in app.head.get(f"{AT}/digests").text
    page = flat(app.head.get(f"{AT}/digests/preview?report=weekly").text)
    assert "<h1>The week\u2019s report so far</h1>" in page
    assert "You would get this mail if it were sent now" in page
    assert "Monday 16 November 2026 to Sunday 22 November 2026" in page
    assert "- Flagged: 3" not in page, "the disclosure is not the Headteacher's to count"
    assert "- Flagged: 2" in page
    mail = app.head.get(f"{AT}/digests/preview/mail?report=weekly&of=2026-W47")
    assert (mail.status_code, "href=" in mail.text, "week of 16" in mail.text or "16 to" in mail.text) == (200, False, True)
    assert "<h1>The term\u2019s report so far</h1>" in app.head.get(f"{AT}/digests/preview?report=termly&of=2026-autumn").text
    assert "You do not get the term\u2019s report" in flat(app.clients[Role.AUDITOR].get(f"{AT}/digests/preview?report=termly").text)
    for wrong in (
        "weekly&of=2026-W46",
        "weekly&of=2026-W48",
        "weekly&of=2026-autumn",
        "termly&of=2027-spring",
        "termly&of=x",
        "weekly&of=x",
    ):
        assert app.head.get(f"{AT}/digests/preview?report={wrong}").status_code == 404
    assert app.head.get(f"{AT}/digests/preview?report=daily").status_code in range(400, 500)
    assert app.clients[Role.TRUSTEE].get(f"{AT}/digests/preview?report=termly").status_code == 403
    with app.stage.database.unit() as unit:
        for kind, code in (("weekly", "2026-W46"), ("weekly", "2026-W47"), ("termly", "2026-autumn"), ("trust", "2026-11-18")):
            unit.report_composed(kind, "oakfield", code, [], app.stage.clock.now())
    listed = re.findall(r"preview\?report=(\w+)&amp;of=([\w-]+)", app.head.get(f"{AT}/digests").text)
    assert listed == [("weekly", "2026-W47"), ("weekly", "2026-W46"), ("termly", "2026-autumn")]


def test_the_preview_says_when_no_mail_could_go(app: Served) -> None:
    site = app.app.state.site
    strict = JinjaComposer(
        templates=ASSETS / "templates", sender="moderator@oakfield.example", trust_domain="oakfield.example", domains={"elsewhere.example"}
    )
    app.app.state.site = replace(site, tools=replace(site.tools, composer=strict))
    try:
        assert "It cannot be made." in app.head.get(f"{AT}/digests/preview").text
        assert app.head.get(f"{AT}/digests/preview/mail").status_code == 404
    finally:
        app.app.state.site = site


def test_a_link_in_the_frame_leads_nowhere() -> None:
    assert as_shown('<p><a class="x" href="https://a.example" style="y">A</a> href="kept"') == '<p><a class="x" style="y">A</a> href="kept"'


def test_the_browser_shows_the_mail_in_its_frame_without_a_complaint(app: Served, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": PHONE, "height": 800}).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    sign_in(page, app)
    page.goto(f"{app.url}{AT}/digests/preview")
    frame = page.frame_locator("iframe.phone")
    assert "Oakfield Primary School" in frame.locator("body").inner_text()
    assert "Good morning." in frame.locator("body").inner_text()
    assert frame.locator(".page").evaluate("each => getComputedStyle(each).maxWidth") == "600px", "its own styles hold"
    assert [text for text in said if "Content Security Policy" in text or "Refused" in text] == []
    page.context.close()


def test_r21_the_trusts_mailbox_is_shown_as_the_last_resort(app: Served) -> None:
    head, site = number(app, Role.HEAD), app.app.state.site
    with app.stage.database.unit() as unit:
        register.change_person(unit.connection, replace(register.person(unit.connection, head), roll_reference="S-1"))
        gone = [number(app, role) for role in (Role.CEO, Role.SAFEGUARDING_LEAD)]
        ended = sa.update(register.DESIGNATIONS).where(register.DESIGNATIONS.c.person_id.in_(gone))
        unit.connection.execute(ended.values(ended_at=NOON, ended_by="HEAD-1", end_reason="Left"))
    address = f"{AT}/routes/flagged/rehearse?named={head}"
    assert "It would reach nobody" in app.head.get(address).text
    assert "nobody: it waits" in app.head.get(f"{AT}/routes?named={head}").text
    app.app.state.site = replace(site, tools=replace(site.tools, trust_email="office@oakfield.example"))
    assert readers(app.head.get(address).text) == ["office@oakfield.example"]
    assert "The mailbox office@oakfield.example" in app.head.get(f"{AT}/routes?named={head}").text
    assert SCHOOL.head_email not in readers(app.head.get(address).text)
    app.app.state.site = site
