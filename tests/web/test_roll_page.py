"""The Roll page: lists of people as SIMS, Arbor and Bromcom export them, looked at before anything changes (R20, R29). All invented."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from register_app import ROLL_KEY, register_app
from review_app import Served
from seen_pages import PHONE, clean_in_both

from moderator.build.rolls import Rolls, matcher
from moderator.domain.access import Role
from moderator.domain.person import RollEntry
from moderator.domain.roll_change import LEAVERS_MATCH, RollChange
from moderator.domain.score import PersonKind
from moderator.domain.times import FrozenClock
from moderator.steps.sweep import sweep
from moderator.store import ledger, roll
from moderator.store.roll_uploads import LIVES, UPLOADS
from moderator.web.roll import MAX_FILE

SIMS = """Adno,UPN,Legal Surname,Legal Forename,Preferred Surname,Preferred Forename,Reg
001,U1,Marwood,Matilda,Marwood,Tilly,7B
002,U2,Bramwell,Jonah,Bramwell,Jonah,8C
003,U3,Larkspur,Orla,Larkspur,Orla,8C
"""
ARBOR_STAFF = "Staff Code;Title;Legal First Name;Legal Last Name\nGPE;Mr;Gareth;Pemberwick\n"
BROMCOM = "MIS ID\tFirst Name\tLast Name\tTutor Group\nB1\tMay\tYoung\t7B\n"
NAMES = ("Matilda", "Marwood", "Jonah", "Bramwell", "Pemberwick", "Quillfeather")
START = "/schools/oakfield/roll"


@pytest.fixture(scope="module")
def app(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield the app, served once for this file."""
    with register_app(migrated_file, tmp_path_factory.mktemp("roll")) as made:
        yield made


@pytest.fixture
def served(app: Served) -> Served:
    """Return the app with empty rolls, and no file waiting."""
    with app.stage.database.unit() as unit:
        for table in (roll.ROLL_ENTRIES, roll.ROLL_TOKENS, UPLOADS):
            unit.connection.execute(sa.delete(table))
    return app


def give(client: httpx.Client, content: str | bytes, *, kind: str = "", everybody: str = "no", school: str = "oakfield") -> httpx.Response:
    """Send the upload form."""
    raw = content.encode() if isinstance(content, str) else content
    data = {"kind": kind, "everybody": everybody}
    return client.post(f"/schools/{school}/roll/upload", data=data, files=[("file", ("export.csv", raw, "text/csv"))])


def given(client: httpx.Client, content: str | bytes, **more: str) -> str:
    """Send a file that is taken; return the address of its preview."""
    answer = give(client, content, **more)
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"]).path


def replaced(served: Served, content: str | bytes, *, sure: str = "yes", **more: str) -> None:
    """Put a file to use as the admin."""
    client = served.clients[Role.ADMIN]
    answer = client.post(f"{given(client, content, **more)}/replace", data={"sure": sure})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"{START}?done=roll_replaced"


def on_roll(served: Served, text: str, *, later: timedelta = timedelta()) -> list[str]:
    """Return the references of people the kept roll finds in a text, now or some time later."""
    made = matcher(served.stage.database, ROLL_KEY, FrozenClock(served.stage.clock.now() + later))
    return [] if made is None else [person.reference for person in made.find(text) if person.strong]


def told(served: Served) -> dict[str, object]:
    """Return the ledger's last line about the roll."""
    with served.stage.database.reading() as connection:
        found: dict[str, object] = json.loads(ledger.lines_of(connection, "oakfield", "roll")[-1])
        return found


def test_r20_a_sims_export_is_looked_at_and_put_to_use(served: Served) -> None:
    client = served.clients[Role.ADMIN]
    place = given(client, SIMS)
    shown = client.get(place).text
    assert "a list from SIMS: 3 people" in shown
    assert "Nothing is changed yet" in shown
    assert "<details>\n<summary>Show the first 3 names</summary>" in shown  # covered until asked for
    assert shown.index("Show the first 3 names") < shown.index("Matilda Marwood")
    assert on_roll(served, "tilly marwood") == []
    assert client.post(f"{place}/replace").headers["location"] == f"{START}?done=roll_replaced"
    assert on_roll(served, "tilly marwood and jonah bramwell") == ["U1", "U2"]
    after = client.get(f"{START}?done=roll_replaced").text
    assert "The new roll is in use" in after
    assert "by Petra Lindqvist (ADMIN-1)" in after
    assert not any(name in after for name in NAMES)
    assert client.get(place).status_code == 410


def test_r29_the_ledger_and_the_log_count_and_name_nobody(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    replaced(served, SIMS)
    line = told(served)
    assert (line["event"], line["reason"], line["actor"]) == ("registered", "roll_replaced", "ADMIN-1")
    assert (line["pupils"], line["leaving"], line["people"]) == (3, 0, 3)
    logged = "".join(capfd.readouterr())
    assert "roll_replaced" in logged
    assert not any(name.lower() in (logged + json.dumps(line)).lower() for name in NAMES)


def test_r29_a_file_that_waits_is_nowhere_in_clear_and_soon_gone(served: Served) -> None:
    client = served.clients[Role.ADMIN]
    place = given(client, SIMS)
    kept = b"".join(file.read_bytes() for file in served.stage.folder.rglob("*") if file.is_file() and "vault" not in file.parts)
    assert not any(name.encode() in kept for name in NAMES)
    assert client.get(place).status_code == 200
    served.stage.clock.move(LIVES)
    sweep(served.stage.tools)
    with served.stage.database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(UPLOADS)).scalar() == 0
    gone = client.get(place)
    assert gone.status_code == 410
    assert "waits for 15 minutes" in gone.text
    for way in ("/replace", "/columns"):
        assert client.post(place + way).status_code == 410
    assert client.get(place + "/columns").status_code == 410


def test_only_the_person_who_gave_a_file_can_use_it_and_only_at_that_school(served: Served) -> None:
    place = given(served.clients[Role.ADMIN], SIMS)
    assert served.head.get(place).status_code == 410
    assert served.head.post(f"{place}/replace").status_code == 410
    assert served.others[Role.ADMIN].get(place).status_code == 404
    ceo = served.clients[Role.CEO]
    mine = given(ceo, SIMS)
    assert ceo.get(mine.replace("oakfield", "ashford")).status_code == 410
    assert ceo.get(mine).status_code == 200
    assert ceo.post(f"{mine}/drop").headers["location"] == f"{START}?done=roll_dropped"
    assert ceo.post(f"{mine}/drop").status_code == 303
    assert on_roll(served, "tilly marwood") == []


def test_of_two_who_press_replace_at_once_one_gets_it(served: Served) -> None:
    site, client = served.app.state.site, served.clients[Role.ADMIN]

    class Overtaken(Rolls):
        """Rolls of a service in which somebody else was quicker by a moment."""

        def change(
            self, school: str, read: Iterable[RollEntry], *, kinds: Collection[PersonKind], day: date, **more: timedelta
        ) -> RollChange:
            with self.database.unit() as unit:
                unit.connection.execute(sa.delete(UPLOADS))
            return super().change(school, read, kinds=kinds, day=day, **more)

    place = given(client, SIMS)
    served.app.state.site = replace(site, rolls=Overtaken(site.database, site.sealer, ROLL_KEY))
    try:
        assert client.post(f"{place}/replace").status_code == 410
    finally:
        served.app.state.site = site
    assert on_roll(served, "tilly marwood") == []


def test_who_may_see_may_not_always_change(served: Served) -> None:
    for role, page, change in ((Role.ADMIN, 200, 303), (Role.DEPUTY, 200, 403), (Role.AUDITOR, 200, 403), (Role.TRUSTEE, 403, 403)):
        client = served.clients[role]
        assert client.get(START).status_code == page, role
        assert give(client, SIMS).status_code == change, role
    assert "can replace the roll" in served.clients[Role.AUDITOR].get(START).text
    assert give(served.others[Role.HEAD], SIMS).status_code == 404


def test_a_list_of_staff_leaves_the_pupils_and_an_arbor_layout_is_known(served: Served) -> None:
    replaced(served, SIMS)
    client = served.clients[Role.DSL]
    place = given(client, ARBOR_STAFF)
    shown = client.get(place).text
    assert "a list from Arbor: 1 person." in shown
    assert "cells parted by semicolons" in shown
    assert "Not touched: Pupils; Parents and carers" in shown
    assert client.post(f"{place}/replace").status_code == 303
    assert on_roll(served, "mr pemberwick and orla larkspur") == ["GPE", "U3"]
    assert told(served)["people"] == 4


def test_r20_who_is_not_in_a_new_list_leaves_and_keeps_matching_for_a_year(served: Served) -> None:
    replaced(served, SIMS)
    replaced(served, ARBOR_STAFF)
    newer = SIMS.replace("002,U2,Bramwell,Jonah,Bramwell,Jonah,8C\n", "").replace("Tilly", "Mattie") + "004,U4,Ashwick,Fern,,,7B\n"
    client = served.clients[Role.ADMIN]
    place = given(client, newer)
    shown = client.get(place).text
    assert '<th scope="row">Pupils</th><td>3</td><td>1</td><td>1</td><td>1</td><td>1</td>' in shown
    assert client.post(f"{place}/replace").status_code == 400  # one of three leaves: a person says that it is right
    assert "Tick the box first" in client.post(f"{place}/replace").text
    assert client.post(f"{place}/replace", data={"sure": "yes"}).status_code == 303
    assert on_roll(served, "jonah bramwell") == ["U2"]
    assert "and 1 who left" in client.get(START).text
    assert on_roll(served, "jonah bramwell", later=LEAVERS_MATCH) == ["U2"]
    assert on_roll(served, "jonah bramwell and fern ashwick", later=LEAVERS_MATCH + timedelta(days=1)) == ["U4"]


def test_a_whole_roll_takes_everybodys_place(served: Served) -> None:
    replaced(served, SIMS)
    client = served.clients[Role.ADMIN]
    place = given(client, ARBOR_STAFF, everybody="yes")
    shown = client.get(place).text
    assert "3 people on the roll now are not in this file" in shown
    assert "Replace the whole roll" in shown


def test_rows_in_error_are_told_by_row_and_nothing_changes(served: Served) -> None:
    client = served.clients[Role.ADMIN]
    place = given(
        client,
        f'UPN,Surname,Forename,Year\nU1,"=HYPERLINK(""x"")",Ann,7\nU2,Larkspur,Orla,7\nU2,Marwood,Tilly,7\nU3,{"x" * 300},Bo,7\nU4,,,7\n',
    )
    shown = client.get(place).text
    for said in (
        "Row 2: a cell of this row begins with =",
        "Row 4: reference",
        "Row 5: a cell of this row has 300 characters",
        "Row 6: no name",
    ):
        assert said in shown, said
    assert "Replace these people" not in shown
    refused = client.post(f"{place}/replace", data={"sure": "yes"})
    assert refused.status_code == 409
    assert "taken whole or not at all" in refused.text
    assert on_roll(served, "orla larkspur") == []


def test_what_to_look_at_is_told_and_stops_nothing(served: Served) -> None:
    client = served.clients[Role.ADMIN]
    rows = 'Forename,Surname,Surname,Year\nMay,Young,,7\nCherry,,,7\nOrla,Larkspur,,7\nOrla,Larkspur,,7\n"Bo\nLee",Marwood,,7\n'
    shown = client.get(given(client, rows)).text
    assert "A heading stands above two columns" in shown
    assert 'A name made of everyday words. A comment may match it by chance. <span class="soft">1 time; row 2.</span>' in shown
    assert "A name of one word" in shown
    assert "No reference (UPN, staff code)" in shown
    assert "A row says the same person again" not in shown  # without a reference, two rows are two people
    assert "Bo Lee Marwood" in shown
    shown = client.get(given(client, BROMCOM + "B1\tMay\tYoung\t7B\n")).text
    assert "a list from Bromcom: 1 person" in shown
    assert "A row says the same person again. It is taken once." in shown
    assert "cells parted by tabs" in shown


def test_people_without_a_reference_keep_theirs_from_list_to_list(served: Served) -> None:
    replaced(served, "Forename,Surname,Year\nOrla,Larkspur,7\nJonah,Bramwell,7\nOrla,Larkspur,8\n")
    before = on_roll(served, "jonah bramwell")
    assert before[0].startswith("N-")
    replaced(served, "Forename,Surname,Year\nTilly,Marwood,7\nJonah,Bramwell,7\nOrla,Larkspur,7\n")
    assert on_roll(served, "jonah bramwell") == before
    with served.stage.database.reading() as connection:
        counts = roll.counts_by_kind(connection, "oakfield", on=served.stage.clock.now().date())
    assert counts == {PersonKind.PUPIL: (3, 1)}


def test_columns_nobody_knows_are_asked_for(served: Served) -> None:
    client = served.clients[Role.ADMIN]
    place = given(client, "Report of 1 September,,\nNom,Prenom,Classe\nMarwood,Tilly,7B\n")
    assert place.endswith("/columns")
    form = client.get(place).text
    assert "Prenom" in form
    known = client.get(given(client, SIMS) + "/columns").text
    assert known.count(" selected") == 7
    assert '<option value="first_name" selected>' in known
    refused = client.post(place, data={"column": ["", "first_name", ""]})
    assert refused.status_code == 400
    assert "Say which column is the name" in refused.text
    assert client.post(place, data={"column": ["shoe_size"]}).status_code == 400
    assert "selected" in refused.text
    taken = client.post(place, data={"column": ["last_name", "first_name", ""]})
    assert taken.status_code == 303
    shown = client.get(taken.headers["location"]).text
    assert "This is no layout we know by name" in shown
    assert "Not used: Classe." in shown
    assert client.post(f"{taken.headers['location']}/replace").status_code == 303
    assert len(on_roll(served, "tilly marwood")) == 1


def test_a_preview_before_the_columns_are_said_asks_for_them(served: Served) -> None:
    client = served.clients[Role.ADMIN]
    place = given(client, "Nom,Prenom\nMarwood,Tilly\n").removesuffix("/columns")
    assert "What is in each column?" in client.get(place).text
    assert client.post(f"{place}/replace").status_code == 400


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_exports_in_the_usual_encodings_are_read(served: Served, encoding: str) -> None:
    client = served.clients[Role.ADMIN]
    shown = client.get(given(client, "UPN;Legal Surname;Legal Forename;Reg\nU1;Brontë;Siobhán;7B\n".encode(encoding))).text
    assert "Siobhán Brontë" in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04", "an Excel workbook, not a CSV"),
        (b"first_name,last_name\nAn\0n,Lee\n", "read as text"),
        (b"x" * (MAX_FILE + 1), "is too large"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_one_line(served: Served, content: bytes, said: str) -> None:
    answer = give(served.clients[Role.ADMIN], content)
    assert answer.status_code == 400
    assert said in answer.text
    assert "Nothing was changed." in answer.text


def test_what_is_no_upload_is_refused(served: Served) -> None:
    client = served.clients[Role.ADMIN]
    assert "Choose the file first" in client.post(f"{START}/upload", data={"kind": ""}, files=[("x", ("", b"", "text/csv"))]).text
    two = [("file", ("a.csv", SIMS.encode(), "text/csv")), ("file", ("b.csv", SIMS.encode(), "text/csv"))]
    assert "one file at a time" in client.post(f"{START}/upload", data={}, files=two).text
    assert client.post(f"{START}/upload", data={"kind": "pupil"}).status_code == 400
    assert "Choose who is in the file" in give(client, SIMS, kind="wizard").text
    huge = client.post(f"{START}/upload", content=b"x" * (MAX_FILE + 200_000), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert huge.status_code == 400
    assert "The file is too large" in huge.text
    empty = given(client, "UPN,Surname,Forename\n", kind="pupil")
    assert client.post(f"{empty}/replace").status_code == 409


def test_without_a_key_nothing_is_imported(served: Served) -> None:
    site, client = served.app.state.site, served.clients[Role.ADMIN]
    served.app.state.site = replace(site, rolls=None)
    try:
        assert "no roll key" in give(client, SIMS).text
        assert client.get(f"{START}/upload/{'x' * 43}").status_code == 410
    finally:
        served.app.state.site = site


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """Yield a phone."""
    context = browser.new_context(viewport={"width": PHONE, "height": 844})
    yield context.new_page()
    context.close()


def test_the_pages_are_clean_and_work_on_a_phone(phone: Page, served: Served, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(SIMS + "004,U4,,,,,7B\n", encoding="utf-8")
    phone.goto(served.link("ADMIN-1"))
    phone.get_by_role("button", name="Sign in").click()
    phone.goto(f"{served.url}{START}")
    assert clean_in_both(phone) == []
    phone.get_by_label("The CSV file").set_input_files(file)
    phone.get_by_role("button", name="See what would change").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("What would change")
    expect(phone.get_by_text("Matilda Marwood")).to_be_hidden()
    phone.get_by_text("Show the first 3 names").click()
    expect(phone.get_by_text("Matilda Marwood")).to_be_visible()
    phone.get_by_text("What each column was taken for").click()
    assert clean_in_both(phone) == []
    phone.get_by_role("link", name="Say what each column is").click()
    phone.get_by_text("Show the first rows").click()
    assert clean_in_both(phone) == []
    phone.get_by_role("button", name="Do not use it").click()
    expect(phone.get_by_role("status")).to_contain_text("The file is forgotten.")
