"""Handing in by the pages: the question first, a bounded form, pictures drawn anew, never the file itself."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Browser, expect
from review_app import Served, handed_in, screen_print
from seen_pages import NARROW, clean_in_both, sign_in

from moderator.domain.access import Role
from moderator.domain.disposal import Ground
from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.submission import MAX_BYTES, MAX_FILES
from moderator.evidence.submission.intake import SealedIntake
from moderator.steps.dispose import approve, ask
from moderator.store.submitted import SUBMITTED
from moderator.web import uploaded

FORM = {
    "indecent": "no",
    "school": "oakfield",
    "place": "https://social.example/groups/9b/4411",
    "seen": "2026-11-18T11:05",
    "why": "A parent showed it to me at the gate.",
}


def send(served: Served, *files: tuple[str, bytes], **words: str) -> httpx.Response:
    given = [("files", (name, content, "application/octet-stream")) for name, content in files or (("shot.png", screen_print()),)]
    return served.head.post("/submit", data=FORM | words, files=given)


def nothing_kept(served: Served) -> bool:
    kept = [path for path in (served.stage.folder / "vault").rglob("*") if path.is_file() and ".tmp" not in path.parts]
    return not kept and "submitted" not in served.stage.ledger_events()


def test_r17_the_question_comes_first_and_yes_leads_to_the_police_without_a_form(served: Served) -> None:
    page = served.head.get("/submit")
    assert page.status_code == 200
    assert "indecent image of a child?" in page.text
    assert 'type="file"' not in page.text
    page = served.head.get("/submit?indecent=yes")
    for word in ("999", "101", "IWF", "CEOP", "DSL", "Do not hand it in"):
        assert word in page.text
    assert "<form" not in page.text.partition("</header>")[2]
    unclear = served.head.get("/submit?indecent=perhaps")
    assert unclear.status_code == 400
    assert "Answer the question first." in unclear.text
    assert nothing_kept(served)


def test_r17_a_form_that_says_yes_or_says_nothing_keeps_no_file(served: Served) -> None:
    answer = send(served, indecent="yes")
    assert answer.status_code == 200
    assert "Do not hand it in. Call the police." in answer.text
    answer = send(served, indecent="")
    assert answer.status_code == 400
    assert "Answer the question first." in answer.text
    assert nothing_kept(served)


def test_the_form_warns_above_the_files(served: Served) -> None:
    page = served.head.get("/submit?indecent=no&school=oakfield").text
    assert page.index("Never hand in a picture that may be an indecent image") < page.index('type="file"')
    assert 'name="school" value="oakfield"' in page


def test_what_is_handed_in_is_a_record_with_its_page(served: Served) -> None:
    assert "Nothing was handed in so far." in served.head.get("/submit").text
    number = handed_in(served, posted="2026-11-18T10:40")
    page = served.head.get(f"/submitted/{number}?done=submitted")
    assert page.status_code == 200
    for words in (
        number,
        "Handed in by a member of staff; the service did not capture it",
        "https://social.example/groups/9b/4411",
        "Wren Quill",
        "The office could not run a bath.",
        "A parent showed it to me at the gate.",
        "by HEAD-1",
        "Checked just now: nothing has changed since it was sealed.",
        "Kept. This is its record.",
        "It does not prove that a site showed them.",
    ):
        assert words in page.text
    assert f'href="/submitted/{number}"' in served.head.get("/submit").text
    assert served.stage.ledger_events() == ["opened", "signed_in", "submitted", "captured", "sealed", "alerted", "viewed"]
    served.head.get(f"/submitted/{number}")
    assert served.stage.ledger_events().count("viewed") == 1
    assert handed_in(served, posted="2026-11-18T10:40") == number
    assert served.stage.ledger_events().count("sealed") == 1


def test_only_a_picture_drawn_anew_ever_reaches_a_browser(served: Served) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at 12 Elm Lane"
    out = BytesIO()
    Image.effect_noise((60, 40), 80).convert("RGB").save(out, "JPEG", exif=exif)
    number = handed_in(served, content=out.getvalue(), name="C:\\a\\evil<b>.jpg")
    page = served.head.get(f"/submitted/{number}").text
    assert "evil&lt;b&gt;.jpg" in page
    assert "<b>.jpg" not in page
    shown = served.head.get(f"/submitted/{number}/1.png")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert b"Elm Lane" not in shown.content
    assert shown.content != out.getvalue()
    for path in ("2.png", "0.png", "submitted-01.jpg", "files/data/submitted-01.jpg"):
        assert served.head.get(f"/submitted/{number}/{path}").status_code == 404
    assert served.head.get(f"/records/{number}/files/data/submitted-01.jpg").status_code == 404
    assert served.head.get(f"/records/{number}").headers["location"] == f"/submitted/{number}"


def test_a_file_that_is_no_picture_is_listed_and_not_shown(served: Served) -> None:
    number = handed_in(served, content=b"09:01 - Fern: you useless lot", name="talk.txt")
    page = served.head.get(f"/submitted/{number}").text
    assert "It is not a picture, so it is not shown here." in page
    assert "useless lot" not in page
    assert served.head.get(f"/submitted/{number}/1.png").status_code == 404


@pytest.mark.parametrize(
    ("files", "words", "told"),
    [
        ([("a.svg", b"<svg onload='alert(1)'/>")], {}, "a web page or a drawing with code in it"),
        ([("a.png", screen_print() + b"<!doctype html>")], {}, "something else behind its end"),
        ([("a.png", screen_print()[:-9])], {}, "cut short or damaged"),
        ([("", b"")], {}, "Choose at least one file"),
        ([], {"place": " "}, "Place: this is needed"),
        ([], {"seen": "2026-11-19T11:05"}, "still to come"),
        ([], {"why": "short"}, "at least 10 characters"),
        ([(f"{n}.png", screen_print(n)) for n in range(MAX_FILES + 1)], {}, "at most 10 files"),
    ],
)
def test_what_cannot_be_taken_is_told_in_one_line_with_what_was_typed_kept(
    served: Served, files: list[tuple[str, bytes]], words: dict[str, str], told: str
) -> None:
    answer = send(served, *files, author="Wren <i>Quill", **words)
    assert answer.status_code == 400
    assert told in answer.text
    assert "Nothing was kept." in answer.text
    assert "Wren &lt;i&gt;Quill" in answer.text
    assert 'role="alert"' in answer.text
    assert nothing_kept(served)


def test_r13_the_hour_that_comes_twice_is_asked_about(served: Served) -> None:
    answer = send(served, seen="2026-10-25T01:30")
    assert answer.status_code == 400
    assert "before or after the clocks went back?" in answer.text
    assert 'name="seen_which" value="GMT"' in answer.text
    number = urlsplit(send(served, seen="2026-10-25T01:30", seen_which="GMT").headers["location"]).path.rpartition("/")[2]
    page = served.head.get(f"/submitted/{number}").text
    assert "01:30 GMT" in page
    assert send(served, seen="2026-10-25T02:30", posted="2026-10-25T01:30", posted_which="BST").status_code == 303


def test_a_form_that_is_too_large_or_broken_is_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = send(served, ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * (MAX_BYTES + 300 * 1024)))
    assert answer.status_code == 400
    assert "together are too large" in answer.text
    for body, kind in ((b"nonsense", "multipart/form-data"), (b"nonsense", "multipart/form-data; boundary=x"), (b"a=b", "text/plain")):
        broken = served.head.post("/submit", content=body, headers={"Content-Type": kind})
        assert broken.status_code == 400
        assert "did not arrive whole" in broken.text or "Answer the question first" in broken.text
    assert served.head.post("/submit", content=b"").status_code == 400
    monkeypatch.setattr(uploaded, "MAX_UPLOAD", 2000)

    def unending() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        for _ in range(50):
            yield b"\0" * 100

    chunked = served.head.post("/submit", content=unending(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert chunked.status_code == 400
    assert "together are too large" in chunked.text
    monkeypatch.setattr(uploaded, "_DRAIN", 10)
    assert send(served, ("a.png", b"\0" * 5000)).status_code == 400
    assert nothing_kept(served)


def test_r3_a_strangers_upload_is_refused_without_being_read(served: Served) -> None:
    host = urlsplit(served.url)
    with socket.create_connection((str(host.hostname), int(host.port or 0)), timeout=10) as line:
        line.sendall(
            f"POST /submit HTTP/1.1\r\nHost: {host.netloc}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 900000000\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        assert line.recv(200).startswith(b"HTTP/1.1 401")
    assert nothing_kept(served)


def test_an_upload_from_another_site_is_refused(served: Served) -> None:
    answer = served.head.post("/submit", data=FORM, files=[("files", ("a.png", screen_print()))], headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert nothing_kept(served)


@pytest.mark.parametrize("error", [Transient("the disk is full at /secret/place"), EvidenceFailed("damaged at /secret/place")])
def test_what_cannot_be_kept_now_is_told_plainly(served: Served, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(SealedIntake, "take", fails)
    answer = send(served)
    assert answer.status_code == 503
    assert "could not keep it just now" in answer.text
    assert "/secret/place" not in answer.text


def test_a_service_without_an_intake_says_so(served: Served) -> None:
    site = served.app.state.site
    served.app.state.site = replace(site, tools=replace(site.tools, intake=None))
    answer = send(served)
    assert answer.status_code == 409
    assert "without a place" in answer.text


def test_a_record_that_cannot_be_opened_any_more_says_so(served: Served) -> None:
    number = handed_in(served)
    (folder,) = (served.stage.folder / "vault").rglob(number)
    (folder / "data").chmod(0o755)
    (folder / "data" / "record.json").unlink()
    page = served.head.get(f"/submitted/{number}").text
    assert "What was handed in cannot be opened." in page
    assert "The check found something wrong." in page
    assert served.head.get(f"/submitted/{number}/1.png").status_code == 404
    assert served.head.get("/submitted/R-AAAAAAAAAAAAAAAA").status_code == 404


def test_r30_a_disposed_hand_in_is_not_called_damaged(served: Served) -> None:
    record_id = handed_in(served)
    ask(served.stage.tools, record_id, ground=Ground.CAPTURED_IN_ERROR, why="Agreed with the DPO on 3 May.", by="DPO-1")
    approve(served.stage.tools, record_id, why="Agreed with the DPO on 3 May.", by="HEAD-1")
    page = served.head.get(f"/submitted/{record_id}").text
    assert "Checked just now: nothing has changed since it was sealed." in page
    assert "something wrong" not in page


def test_a_picture_that_was_changed_in_the_vault_is_not_shown(served: Served) -> None:
    number = handed_in(served)
    (folder,) = (served.stage.folder / "vault").rglob(number)
    picture = folder / "data" / "submitted-01.png"
    picture.chmod(0o644)
    picture.write_bytes(b"<script>alert(1)</script>")
    assert served.head.get(f"/submitted/{number}/1.png").status_code == 404


def test_with_several_schools_the_person_chooses_among_their_own(served: Served) -> None:
    page = served.clients[Role.CEO].get("/submit?indecent=no&school=ashford").text
    assert '<option value="ashford" selected>Ashford Junior School</option>' in page
    assert "Ashford" not in served.head.get("/submit?indecent=no&school=oakfield").text


@pytest.mark.parametrize("school", ["ashford", "nowhere"])
def test_r3_nothing_is_handed_in_at_a_school_that_is_not_theirs(served: Served, school: str) -> None:
    before = served.stage.ledger_events()
    assert send(served, school=school).status_code == 404
    assert served.stage.ledger_events() == before


def test_a_phone_without_script_hands_in_and_axe_finds_nothing(browser: Browser, served: Served, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    shot.write_bytes(screen_print())
    context = browser.new_context(viewport={"width": NARROW, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, served)
    page.get_by_role("link", name="hand in a screen print").click()
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("The screen prints").set_input_files(str(shot))
    page.get_by_label("Place").fill("WhatsApp, the parents of 9B")
    page.get_by_label("When you saw it").fill("2026-11-18T11:05")
    page.get_by_label("Why you hand it in").fill("A parent showed it to me.")
    page.get_by_role("button", name="Hand it in").click()
    expect(page.get_by_role("status")).to_have_text("Kept. This is its record.")
    number = page.locator("h1 + p .number").inner_text()
    context.close()
    with served.stage.database.reading() as connection:
        assert connection.execute(sa.select(SUBMITTED.c.record_id)).scalars().all() == [number]
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, served)
    for address in ("/submit", "/submit?indecent=", "/submit?indecent=no", "/submit?indecent=yes", f"/submitted/{number}"):
        page.goto(served.url + address)
        for summary in page.locator("summary").all():
            summary.click()
        assert clean_in_both(page) == [], address
    context.close()


def test_nobody_else_is_asked_for_anything(served: Served) -> None:
    number = handed_in(served)
    for path in ("/submit", "/submit?indecent=no", f"/submitted/{number}"):
        page = served.head.get(path).text
        assert re.findall(r'(?:src|action)="(?!/)[^"]*"', page) == []
