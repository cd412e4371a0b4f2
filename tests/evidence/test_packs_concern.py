"""The concern pack: flat keys for the safeguarding system, and one PDF."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packing import AT, PaperPress, Unpacked, held_of, order_of, packs_on

from moderator.domain.errors import BadInput
from moderator.domain.pack import Happened, Held, Pack
from moderator.evidence.packs.bagged import Bagged
from moderator.evidence.packs.proof import author_of, blocked_words, kind_in_words, thread_of, what_it_is

GUIDE = Path(__file__).parents[2] / "ops" / "guides" / "packs.md"


class Empty:
    """A vault with nothing in it."""

    def open(self, path: str, name: str) -> bytes:
        message = f"there is no {name} in {path}"
        raise BadInput(message)

    def names(self, path: str) -> tuple[str, ...]:
        del path
        return ()


@pytest.fixture
def made(cast: Any, still: Any, vault: Any, tmp_path: Path) -> tuple[Unpacked, PaperPress, Held]:
    """Return a concern pack of one record, and the HTML of its PDF."""
    keys = cast.HeldKeys()
    record = still(keys=keys).seal(cast.make_evidence("You are <b>useless</b>, Mr Brindle."))
    why = Happened(record.sealed_at, "uphold", "HEAD-1", why="It insults a member of staff.")
    held = held_of(record, cast.SCHOOL, history=(Happened(record.captured_at, "hide_intended", "service"), why))
    press = PaperPress()
    return Unpacked(packs_on(vault, keys, press).build(order_of(Pack.CONCERN, held), tmp_path)), press, held


def test_the_json_has_flat_keys_that_the_guide_documents(made: tuple[Unpacked, PaperPress, Held]) -> None:
    pack, _, held = made
    facts = pack.json("concern.json")
    assert facts["exact_text"] == "You are <b>useless</b>, Mr Brindle."
    assert facts["posted_utc"] == "2026-10-25T01:30:00.000000Z"
    assert facts["posted_london"].startswith("2026-10-25 01:30:00+00:00")
    assert facts["place"] == "http://127.0.0.1:9/grumbler/status/12"
    assert facts["author_as_shown"] == "A. Grumbler, @grumbler, platform id 77"
    assert facts["people_matched"] == ["staff: S-004"]
    assert facts["category"] == "insult"
    assert facts["summary"].endswith("The service decided to record it and hide it.")
    assert facts["actions_taken"][0].endswith(": hide intended, by service")
    assert facts["reasons_given"] == [f"{facts['actions_taken'][1].split(': uphold')[0]}, HEAD-1: It insults a member of staff."]
    assert (facts["exported_by"], facts["exported_for"]) == ("HEAD-1", "PC 123, harassment of a member of staff")
    assert facts["link"] == "https://review.oakfield.example/items/12"
    assert all(isinstance(value, (str, list)) for value in facts.values())
    guide = GUIDE.read_text(encoding="utf-8")
    assert [key for key in facts if f"`{key}`" not in guide] == []
    assert sorted(pack.files) == ["concern.json", "concern.pdf", "sha256sums.txt"]
    assert pack.path.stat().st_mode & 0o777 == 0o600
    assert held.record_id == facts["record_id"]


def test_the_pdf_says_the_same_and_is_inert(made: tuple[Unpacked, PaperPress, Held]) -> None:
    pack, press, held = made
    (html,) = press.seen
    assert "You are &lt;b&gt;useless&lt;/b&gt;, Mr Brindle." in html
    assert "staff: S-004" in html
    assert held.record_id in html
    assert "data:image/png;base64," in html
    assert pack.files["concern.pdf"].startswith(b"%PDF")


def test_a_record_without_an_item_has_no_link_and_an_empty_decision_says_so(cast: Any, still: Any, vault: Any, tmp_path: Path) -> None:
    record = still().seal(cast.make_evidence())
    cast.unlock(vault.folder(record.path))
    (vault.folder(record.path) / "data" / "decision.json").write_text(
        json.dumps({"outcome": "route", "people": [{"kind": "pupil", "strong": False}]})
    )
    held = held_of(record, cast.SCHOOL, item_id=None)
    facts = Unpacked(packs_on(vault, cast.HeldKeys(), PaperPress()).build(order_of(Pack.CONCERN, held), tmp_path)).json("concern.json")
    assert (facts["link"], facts["category"]) == ("not known", "not known")
    assert facts["people_matched"] == ["pupil: no reference (weak match)"]
    assert facts["summary"].endswith("The service decided to record it and leave it to a person.")


@pytest.mark.parametrize(
    ("kind", "words", "sentence"),
    [
        ("live_page", "Photograph of the live page", "not signed in"),
        ("submitted_by_person", "Handed in by a member of staff", "It proves what was handed in, and when"),
        ("other", "not known", "How the picture was made is not known"),
    ],
)
def test_a_rendering_is_never_called_a_photograph_nor_the_other_way_round(kind: str, words: str, sentence: str, cast: Any) -> None:
    held = Held("R-AAAAAAAAAAAAAAAA", cast.SCHOOL, "p", "00", AT, AT)
    facts = {"capture_kind": kind, "requests_blocked": 3, "requests_blocked_by_type": {"image": 2, "font": 1}}
    bag = Bagged(held, facts, {}, {}, Empty(), Empty(), None)
    assert words in kind_in_words(bag)
    assert sentence in what_it_is(bag)
    assert blocked_words(bag) == "3 (1 font, 2 image)"
    assert author_of(bag) == "not known"
    assert thread_of(bag) == []
    assert bag.file("screenshot.png") is None
    assert bag.stamps() == ()
    assert blocked_words(replace(bag, record={})) == "not known"
