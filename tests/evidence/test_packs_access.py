"""The subject-access pack (R31): what leaves holds the requester's data and nobody else's, in any layer of any file."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from packing import AT, PaperPress, Press, Unpacked, everything, held_of, letters, literal, order_of, packs_on
from PIL import Image

from moderator.domain.errors import BadInput
from moderator.domain.item import Author, Post
from moderator.domain.pack import Happened, Held, Pack
from moderator.domain.record import Evidence
from moderator.domain.score import PersonKind, PersonSpan
from moderator.evidence.packs.people import finder
from moderator.evidence.packs.redact import BLOCK, KEPT_BACK
from moderator.learn.classifier import Assessor, ConstantClassifier
from moderator.settings import ASSETS

PERSONS = ("Fern Ashwick", "@fern_ashwick")
FORBIDDEN = (
    "brindle", "sturrock", "davesturr", "zofia", "nowak", "wojcik", "lukasz", "penhaligon", "pellew", "07700900123", "7700900",
    "sturrockexample", "bigdave", "s004", "8812345", "9955123", "akpellew",
)  # fmt: skip
"""Letters of other people's names, handles, numbers and references; none is in our own wording."""
SHORT = 6
"""Letters up to which a name could stand in compressed bytes by chance."""
TEXT = (
    "Fern Ashwick and Mr Brindle at it again. Ask zofia or Amy Pellew's mum, #SackBrindleNow, L\u200bukasz Wo\u0301jcik, B.r.i.n.d.l.e, "
    "WOJCIK, brindles lot and @zofia_nb knows. Ring 07700 900123, dave@sturrock.example, see https://x.example/davesturrock84 <b>now</b>"
)


def somebody_elses(cast: Any) -> Evidence:
    """Return a comment by somebody else that names the requester and many others, below somebody's parent post."""
    made: Evidence = cast.make_evidence(TEXT, comment_id="8812345", place="https://x.example/davesturrock84/status/8812345")
    at = TEXT.index("Mr Brindle")
    comment = replace(
        made.item.comment,
        author=Author("9955123", "davesturrock84", "Big Dave Sturrock"),
        thread=(
            cast.PARENT,
            Post(
                "13",
                Author("66", "zofia_nb", "Zofia Nowak-Bell"),
                "Mr Brindle told Tressa Penhaligon off on Friday",
                datetime(2026, 10, 24, tzinfo=UTC),
            ),
            Post("14", Author("67", "fern_ashwick", "Fern Ashwick"), "That is not true, Zofía", None),
        ),
    )
    score = replace(made.score, people=(PersonSpan(at, at + 10, "Mr Brindle", PersonKind.STAFF, "roll", "S-004"),))
    return replace(made, item=replace(made.item, comment=comment), score=score)


def her_own(cast: Any) -> Evidence:
    """Return a comment that the requester wrote."""
    made: Evidence = cast.make_evidence("I am cross with Mr Brindle, ring me", comment_id="77")
    comment = replace(
        made.item.comment, author=Author("50", "fern_ashwick", "Fern Ashwick"), place="https://x.example/fern_ashwick/status/77"
    )
    return replace(made, item=replace(made.item, comment=comment), score=replace(made.score, people=()))


@dataclass(frozen=True)
class Kept:
    """Two encrypted records in a vault, with their keys and the books' view of them."""

    vault: Any
    keys: Any
    held: tuple[Held, Held]

    def seal(self, cast: Any, evidence: Evidence) -> Held:
        """Seal another one."""
        recorder = cast.still_on(self.vault, cast.Signer.generate(), keys=self.keys)
        record = recorder.seal(evidence)
        recorder.close()
        return held_of(record, cast.SCHOOL)


@pytest.fixture(scope="module")
def two(cast: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Return two records: somebody else's about the requester, and her own."""
    folder = tmp_path_factory.mktemp("two")
    kept = Kept(cast.FolderVault(folder / "vault"), cast.HeldKeys(), ())  # type: ignore[arg-type] # filled in the next line
    first, second = kept.seal(cast, somebody_elses(cast)), kept.seal(cast, her_own(cast))
    why = Happened(first.sealed_at + timedelta(minutes=1), "uphold", "HEAD-1", why="It is about Mr Brindle and Łukasz; AK Pellew asked.")
    first = replace(first, history=(*first.history, why), exports=(("police", AT), ("concern", AT), ("other", AT)))
    yield replace(kept, held=(first, second))
    cast.unlock(folder)


@pytest.fixture(scope="module")
def made(two: Kept, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Unpacked, Press]:
    """Return the pack over both records, made with the classifier that ships and a real browser, and what was printed and drawn."""
    press = Press(browser)
    packs = packs_on(two.vault, two.keys, press, find=finder(Assessor(ASSETS / "models", encoder=False)))
    return Unpacked(packs.build(order_of(Pack.SAR, *two.held, persons=PERSONS), tmp_path_factory.mktemp("sar"))), press


def layers(pack: Unpacked, press: Press) -> Iterator[tuple[str, str]]:
    """Yield every layer in which a name could hide: where, and its text."""
    yield "what was printed or drawn", "\n".join(press.seen)
    yield (
        "names and comments of members",
        " ".join([*pack.members, *(repr(each.comment) + repr(each.extra) for each in pack.members.values())]),
    )
    yield "the archive's comment", repr(pack.comment)
    for name, content in pack.files.items():
        if not name.endswith((".pdf", ".png")):
            yield f"{name}, as text", content.decode()
        if name.endswith(".pdf"):
            reader = pack.pdf(name)
            yield f"{name}, text layer", normalize("NFKC", " ".join(page.extract_text() for page in reader.pages))
            yield f"{name}, metadata", repr(reader.metadata)
            yield f"{name}, every object", " ".join(everything(reader.trailer))
        if name.endswith(".png"):
            with Image.open(BytesIO(content)) as picture:
                yield f"{name}, metadata", repr(picture.info)


def test_r31_no_other_name_survives_anywhere(made: tuple[Unpacked, Press]) -> None:
    pack, press = made
    found = [(where, name) for where, text in layers(pack, press) for name in FORBIDDEN if name in letters(text)]
    assert found == []
    raw = [
        (file, name) for file, content in pack.files.items() for name in FORBIDDEN if len(name) > SHORT and name.encode() in content.lower()
    ]
    assert raw == []
    short = [
        (where, name)
        for where, text in layers(pack, press)
        for name in ("dave", "amy", "tressa", "bell")
        if f" {name} " in f" {' '.join(''.join(c if c.isalnum() else ' ' for c in text.casefold()).split())} "
    ]
    assert short == []
    assert sorted(pack.files) == [
        "CHECK-BEFORE-SENDING.txt", "redrawn-1.png", "redrawn-2.png", "sha256sums.txt", "subject-access.json", "subject-access.pdf",
    ]  # fmt: skip
    assert pack.path.stat().st_mode & 0o777 == 0o600


def test_the_look_itself_would_find_a_name(made: tuple[Unpacked, Press]) -> None:
    """What is searched for is there to be found: the requester's own name is in the text layers, the JSON and what was drawn."""
    found = {where for where, text in layers(*made) if "fernashwick" in letters(text)}
    assert found >= {"what was printed or drawn", "subject-access.pdf, text layer", "subject-access.json, as text"}


def test_r31_the_requester_reads_her_own_data(made: tuple[Unpacked, Press]) -> None:
    pack, _ = made
    facts = pack.json("subject-access.json")
    first, second = facts["records"]
    assert facts["about"] == list(PERSONS)
    assert facts["status"].startswith("draft")
    assert first["you_are"] == "named or spoken of"
    assert first["author"] == "another person"
    assert first["place"].startswith("withheld")
    assert first["text"].startswith(f"Fern Ashwick and {BLOCK} at it again.")
    assert first["posts_above"][0] == "the school's account @oakfield: Sports day moves to Friday."
    assert first["posts_above"][1].startswith("another person: ")
    assert first["posts_above"][2] == f"you: That is not true, {BLOCK}"
    assert [line.partition(": ")[2] for line in first["given_to"]] == ["the police", "the safeguarding system", "not known"]
    assert [line.partition(": ")[2] for line in first["what_happened"]] == ["captured", "record sealed", "a person kept the decision"]
    assert len(first["reasons_people_gave"]) == 1
    assert second["you_are"] == "the author"
    assert second["author"] == "you: Fern Ashwick @fern_ashwick"
    assert second["place"] == "https://x.example/fern_ashwick/status/77"
    assert second["text"] == f"I am cross with {BLOCK}, ring me"
    words = pack.words("subject-access.pdf")
    assert "What we hold about you" in words
    assert "I am cross with [redacted], ring me" in words
    assert "<b>now</b>" in words


def test_r31_the_pack_says_that_a_person_must_read_it(made: tuple[Unpacked, Press], two: Kept) -> None:
    pack, _ = made
    check = pack.files["CHECK-BEFORE-SENDING.txt"].decode()
    first, second = (held.record_id for held in two.held)
    notes = {line.split(":")[0].strip(): line for line in check.splitlines() if line.strip().startswith("R-")}
    assert "places redacted" in notes[first]
    assert "written by somebody else" in notes[first]
    assert "written by somebody else" not in notes[second]
    assert "WITHHELD" in check
    assert "to be read by a person before it leaves" in pack.words("subject-access.pdf")


def test_the_pdf_is_accessible_and_names_no_one(made: tuple[Unpacked, Press]) -> None:
    reader = made[0].pdf("subject-access.pdf")
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "en-GB"
    assert bool(root["/MarkInfo"]["/Marked"])
    assert "/StructTreeRoot" in root
    assert reader.metadata is not None
    assert reader.metadata.title == "Subject access: draft for checking"
    assert str(reader.metadata["/CreationDate"]) == "D:20261122101500+00'00'"


def test_r31_a_text_of_unknown_words_is_kept_back_and_told(two: Kept, cast: Any, tmp_path: Path) -> None:
    evidence = cast.make_evidence("Dziękuję bardzo za wszystko co robicie", comment_id="903")
    held = two.seal(cast, replace(evidence, score=replace(evidence.score, people=())))
    packs = packs_on(two.vault, two.keys, PaperPress())
    pack = Unpacked(packs.build(order_of(Pack.SAR, held, persons=("A. Grumbler",)), tmp_path))
    facts = pack.json("subject-access.json")["records"][0]
    assert facts["text"] == KEPT_BACK
    assert facts["you_are"] == "the author"
    assert "words on doubt alone" in pack.files["CHECK-BEFORE-SENDING.txt"].decode()
    assert "kept back whole" in pack.files["CHECK-BEFORE-SENDING.txt"].decode()


def test_r31_a_name_that_cannot_be_taken_out_stops_the_pack(two: Kept, cast: Any, tmp_path: Path) -> None:
    """Here the requester's own handle spells somebody else's whole name: no machine can tell them apart."""
    evidence = cast.make_evidence("Hello there", comment_id="904")
    evidence = replace(
        evidence, item=replace(evidence.item, comment=replace(evidence.item.comment, author=Author("1", "davesturrock", "D")))
    )
    parent = Post("13", Author("66", "", "Dave Sturrock"), "Hello", None)
    evidence = replace(evidence, item=replace(evidence.item, comment=replace(evidence.item.comment, thread=(parent,))))
    held = two.seal(cast, evidence)
    packs = packs_on(two.vault, two.keys, PaperPress())
    with pytest.raises(BadInput, match="a person must prepare this pack"):
        packs.build(order_of(Pack.SAR, held, persons=("@davesturrock",)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_r31_an_account_under_the_requesters_name_is_somebody_else(two: Kept, cast: Any, tmp_path: Path) -> None:
    """Somebody of the same name, or somebody who took it: her own account is known, and this is another."""
    made: Evidence = cast.make_evidence("Look at me, I am cross", comment_id="905", place="https://x.example/brindle_liar/status/905")
    post = Post("13", Author("68", "other_fern", "Fern Ashwick"), "Hello", None)
    comment = replace(made.item.comment, author=Author("51", "brindle_liar", "Fern Ashwick"), thread=(post,))
    held = two.seal(cast, replace(made, item=replace(made.item, comment=comment), score=replace(made.score, people=())))
    packs = packs_on(two.vault, two.keys, PaperPress())
    pack = Unpacked(packs.build(order_of(Pack.SAR, held, persons=PERSONS), tmp_path))
    (facts,) = pack.json("subject-access.json")["records"]
    assert (facts["you_are"], facts["author"]) == ("named or spoken of", "another person")
    assert facts["posts_above"] == ["another person: Hello"]
    assert "liar" not in str(facts)
    assert "on an account that was not given" in pack.files["CHECK-BEFORE-SENDING.txt"].decode()
    assert [how for _, how in packs.about(PERSONS, [held])] == ["maybe"]
    assert [how for _, how in packs.about(PERSONS[:1], [held])] == ["sure"]


def test_the_records_about_one_person_are_found(two: Kept, cast: Any) -> None:
    held = two.held
    other = two.seal(cast, cast.make_evidence("Nobody here", comment_id="900"))
    maybe = two.seal(cast, cast.make_evidence("Miss Ashwick was there", comment_id="901"))
    gone = replace(held[0], record_id="R-GONE", disposed_at=AT)
    every = [*held, other, maybe, gone]
    packs = packs_on(two.vault, two.keys, PaperPress())
    found = [(each.record_id, how) for each, how in packs.about(PERSONS, every)]
    assert found == [(held[0].record_id, "sure"), (held[1].record_id, "sure"), (maybe.record_id, "maybe")]
    assert [how for _, how in packs.about(("@zofia_nb",), held)] == ["sure"]
    assert [how for _, how in packs.about(("Ewa Nowak",), held)] == ["maybe"]


def test_a_record_whose_facts_are_odd_is_shown_as_far_as_it_goes(tmp_path: Path, cast: Any) -> None:
    """A record of another make, with parts missing or of another shape, breaks nothing."""

    class Odd:
        """A vault of one record with hardly anything in it."""

        def __init__(self, record: Any) -> None:
            self.record = record

        def open(self, path: str, name: str) -> bytes:
            del path
            if name == "data/record.json":
                return json.dumps(self.record).encode()
            message = f"there is no {name}"
            raise BadInput(message)

        def names(self, path: str) -> tuple[str, ...]:
            del path
            return ("data/record.json",)

    held = Held("R-AAAAAAAAAAAAAAAA", cast.SCHOOL, "oakfield/2026/R-AAAAAAAAAAAAAAAA", "00", AT, AT)
    for record in ({}, {"thread": "none", "text": None}, {"thread": [3, {}]}):
        packs = replace(packs_on(None, cast.HeldKeys(), PaperPress(), find=literal()), opened=Odd(record), stored=Odd(record))
        pack = Unpacked(packs.build(order_of(Pack.SAR, held, persons=PERSONS), tmp_path))
        facts = pack.json("subject-access.json")["records"][0]
        assert (facts["decision"], facts["posted_utc"], facts["text"]) == ("not known", "not known", "")
        assert "(no text)" in packs.print.__self__.seen[0]  # type: ignore[attr-defined] # a bound method of the test's press


def test_the_classifier_as_a_finder_is_asked_for_nothing_when_there_is_nothing() -> None:
    find = finder(ConstantClassifier())
    assert find([]) == []
    assert find(["a"]) == [[]]
