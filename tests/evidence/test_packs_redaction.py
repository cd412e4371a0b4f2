"""Taking other people out of a text (R31): names however they are written, and nothing of the requester's."""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing import letters, literal

from moderator.evidence.packs.others import one_slip
from moderator.evidence.packs.redact import BLOCK, KEPT_BACK, Found, Redactor
from moderator.evidence.packs.requester import Requester, handle_parts
from moderator.evidence.packs.skeleton import words

FERN = Requester.of(("Fern Ashwick", "@fern_ashwick"))


def redactor(*names: str, requester: Requester = FERN, handles: tuple[str, ...] = (), found: tuple[str, ...] = ()) -> Redactor:
    made = Redactor(requester, literal(*found), known=("Oakfield Primary", "@oakfieldprimary"))
    for name in names:
        made.others.add_name(name)
    for handle in handles:
        made.others.add_handle(handle)
    return made


@pytest.mark.parametrize(
    "written",
    [
        "Brindle", "BRINDLE", "brindle", "Brindle's", "brindle’s",
        "Brindles", "#SackBrindleNow", "#brindleout", "MrBrindleIsBad", "Brindleeee",
        "Br\u200bind\u200dle", "Br\u00adindle", "Brin\u2060dle", "Bríndlé", "Bri\u0301ndle",
        "Ｂｒｉｎｄｌｅ", "𝐁𝐫𝐢𝐧𝐝𝐥𝐞", "Вrindlе", "Br1ndle", "Brind|e", "8rindle",
        "B.r.i.n.d.l.e", "B r i n d l e", "Brin-dle", "Brin dle", "B_r_i_n_d_l_e",
        "b*r*i*n*d*l*e", "brindel", "Brindl", "Brinddle", "Bridnle",
        "Mr Brindle", "(Brindle)", "Brindle123", "xXBrindleXx", "ⒷⓇⒾⓃⒹⓁⒺ", "@mr_brindle",
    ],
)  # fmt: skip
def test_r31_a_name_is_found_however_it_is_written(written: str) -> None:
    left = redactor("Mr Brindle").redact(f"We think {written} was there on Monday morning.")
    assert "rindle" not in letters(left.text)
    assert BLOCK in left.text
    assert left.text.startswith("We think")
    assert "on Monday morning." in left.text
    assert left.places >= 1


@pytest.mark.parametrize(
    "written",
    [
        "Gardener", "gardener", "GARDENER'S", "#SackGardenerNow",
        "#gardenerout", "gardenerrr", "gar\u200bdener", "gárdéner", "G.a.r.d.e.n.e.r",
        "gar dener", "g a r d e n e r", "gardenerisbad", "g4rdener", "gаrdеner", "garbener", "Gardneer", "gardener_99",
    ],
)  # fmt: skip
def test_r31_a_name_that_is_an_ordinary_word_goes_because_it_is_known(written: str) -> None:
    text = f"We think {written} was there on Monday morning."
    left = redactor("Mr Gardener").redact(text)
    assert left.text == f"We think {BLOCK} was there on Monday morning."
    assert left.doubts == 0


def test_r31_that_word_stays_where_nobody_is_called_so() -> None:
    assert redactor("Mr Brindle").redact("We think a gardener was there on Monday morning.").places == 0
    assert redactor("Mr Brindle").redact("We think badgers and lanterns were there.").places == 0


@pytest.mark.parametrize(
    ("name", "text", "gone"),
    [
        ("Amy Pell", "ask amy about it", "amy"),
        ("Amy Pell", "Amyyyy did it", "amyyyy"),
        ("Amy Pell", "it was #blameamy again", "amy"),
        ("Amy Pell", "amy_2011 said so", "amy"),
        ("Amy Pell", "the AmyPell show", "amypell"),
        ("Amy Pell", "a.m.y did it", "amydid"),
        ("Jo Ng", "Jo and NG did it", "joand"),
        ("Will Hart", "and Will said so", "will"),
        ("Anne-Marie O'Hara", "anne marie ohara said so", "ohara"),
        ("Łukasz Wójcik", "lukasz wojcik said so", "wojcik"),
        ("محمد علي", "and محمد was there too", "محمد"),
    ],
)
def test_r31_short_and_foreign_names_too(name: str, text: str, gone: str) -> None:
    assert gone not in letters(redactor(name).redact(text).text)


def test_r31_a_short_name_inside_an_ordinary_word_leaves_the_word() -> None:
    assert redactor("Lee Wu", "Ann Hart").redact("I was asleep all morning, it is an annual thing").text == (
        "I was asleep all morning, it is an annual thing"
    )
    assert redactor("Will Hart").redact("you will see").text == "you will see"
    assert redactor("An Ng").redact("it was an odd day").text == "it was an odd day"


def test_r31_the_requester_stays_readable() -> None:
    text = "Fern Ashwick and fern ashwick's mum, @fern_ashwick, told Oakfield Primary and @oakfieldprimary about Tom Brindle"
    left = redactor(found=("Fern Ashwick", "Tom Brindle")).redact(text)
    assert left.text == text.replace("Tom Brindle", BLOCK)
    assert (left.places, left.kept_back) == (1, False)


def test_r31_a_shared_last_name_stays_the_requesters_but_not_in_the_others_whole_name() -> None:
    left = redactor("Tom Ashwick").redact(
        "Tom Ashwick hit Ashwick. tomashwick again, T o m A s h w i c k, then Fern Ashwick cried with Tom"
    )
    assert left.text == f"{BLOCK} hit Ashwick. {BLOCK} again, {BLOCK}, then Fern Ashwick cried with {BLOCK}"


def test_r31_initials_are_the_requesters_only_when_they_fit() -> None:
    assert FERN.is_named("F. Ashwick")
    assert FERN.is_named("Miss Ashwick")
    assert not FERN.is_named("T. Ashwick")
    assert not FERN.is_named("Mr")
    assert FERN.wrote(handle="", name="Fern ASHWICK")
    assert not FERN.wrote(handle="fern", name="Fern")
    assert Requester.of(("Fern",)).wrote(handle="Fern", name="")
    assert Requester.of((" ", "")).parts == frozenset()


def test_r31_a_handle_that_was_given_decides_who_wrote() -> None:
    assert FERN.wrote(handle="@Fern_Ashwick", name="anything")
    for handle in ("brindle_is_a_liar", "fern_ashwick2", "fernashwick"):
        assert not FERN.wrote(handle=handle, name="Fern Ashwick")
        assert FERN.borne_by(handle=handle, name="Fern Ashwick")
    assert FERN.borne_by(handle="fernashwick", name="F")
    assert not FERN.borne_by(handle="", name="Fern Ashwick")
    assert not FERN.borne_by(handle="dave", name="Dave")


@pytest.mark.parametrize(
    ("given", "strict"), [("@fern", True), ("fern_a", True), ("fern99", True), ("Fern", False), ("Fern Ashwick", False)]
)
def test_r31_one_word_is_a_handle_only_when_no_name_is_written_so(given: str, *, strict: bool) -> None:
    assert Requester.of(("Fern Ashwick", given)).wrote(handle="another", name="Fern Ashwick") is not strict


@pytest.mark.parametrize(
    "contact",
    [
        "07700 900123", "+44 (0)7700 900-123", "zofia@mail.example",
        "zofia @ mail.example", "zofia (at) mail (dot) example", "z at mail dot example",
        "https://social.example/zofia", "http : //social.example", "www.social.example/zofia",
        "social.example.com/zofia", "SW1A 1AA", "sw1a1aa",
        "0770\u200b0900123", "zofia＠mail.example", "@zofia_n", "＠zofia_n",
    ],
)  # fmt: skip
def test_r31_what_leads_to_somebody_goes_too(contact: str) -> None:
    left = redactor().redact(f"you can reach them at {contact} any day")
    assert BLOCK in left.text
    for part in ("7700", "900123", "zofia", "social", "1aa"):
        assert part not in letters(left.text)


def test_r31_what_a_finder_takes_for_personal_data_goes_whoever_it_is_of() -> None:
    made = Redactor(FERN, lambda texts: [[Found(4, 16, is_name=False)] for _ in texts])
    assert made.redact("see Fern Ashwick there").text == f"see {BLOCK} there"
    assert "fern" not in made.others.parts


def test_r31_a_word_that_may_be_a_name_goes_on_doubt_and_is_counted() -> None:
    left = redactor().redact("Then wojtek and Jayden took the ball, cant beleive it, said Gwenllian's mum lol")
    assert left.text == f"Then {BLOCK} and {BLOCK} took the ball, cant beleive it, said {BLOCK} mum lol"
    assert (left.places, left.doubts) == (3, 3)


def test_r31_a_text_the_service_cannot_read_is_kept_back_whole() -> None:
    for text in ("Dziękuję bardzo za wszystko co robicie", "محمد سرق الكرة من المدرسة"):
        left = redactor().redact(text)
        assert (left.text, left.kept_back) == (KEPT_BACK, True)


def test_r31_a_name_that_would_be_left_keeps_the_text_back() -> None:
    """Where what is left still reads as a name, nothing is given out."""
    left = redactor("Redacted Brown").redact("we saw Brown there on Monday")
    assert (left.text, left.kept_back) == (KEPT_BACK, True)


def test_an_empty_text_and_one_without_words_stay() -> None:
    for text in ("", "   ", "!!! 😀 …", "3 of 4", "I x"):
        assert redactor().redact(text).text == text


def test_a_name_learnt_from_one_text_goes_from_every_other() -> None:
    made = redactor(found=("Zofia Nowak",))
    made.read(["it was Zofia Nowak", ""])
    assert made.redact("and nowak said so").text == f"and {BLOCK} said so"


def test_handles_come_apart_at_underscores_digits_and_capitals() -> None:
    assert handle_parts("@FernAshwick_99") == ["fernashwickgg", "fern", "ashwick"]
    left = redactor(handles=("dave_sturrock84", "fern_ashwick", "")).redact("so Sturrock said, and dave84 agreed")
    assert left.text == f"so {BLOCK} said, and {BLOCK} agreed"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("Fern Ashwick was there", "sure"), ("fernashwick!", "sure"), ("F e r n Ashwicks", "sure"), ("ask @fern_ashwick", "sure"),
        ("ask Fern-Ashwick", "sure"), ("Miss Ashwick", "maybe"), ("#ashwickout", "maybe"), ("Fern was there", ""), ("nobody", ""), ("", ""),
    ],
)  # fmt: skip
def test_how_surely_a_text_is_about_the_requester(text: str, how: str) -> None:
    assert FERN.found(text) == how


def test_a_requester_known_by_one_word() -> None:
    alone = Requester.of(("Fern",))
    assert alone.found("Fern was there") == "sure"
    assert alone.found("a fernery") == ""
    assert Requester.of(("Ashwick",)).found("#ashwickout") == "maybe"


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [("brindle", "brindel", True), ("brindle", "brndle", True), ("brindle", "brindlle", True), ("brindle", "brinxle", True),
     ("brindle", "brindle", True), ("brindle", "bramble", False), ("brindle", "bri", False), ("brindle", "rbindel", False)],
)  # fmt: skip
def test_one_slip(name: str, other: str, *, same: bool) -> None:
    assert one_slip(name, other) is same


def test_words_stand_where_they_are() -> None:
    text = "@fern #go! O'Hara\u200b, 𝐁𝐨"
    assert [(text[word.start : word.end], word.letters) for word in words(text)] == [
        ("@fern", "fern"), ("#go", "go"), ("O'Hara\u200b", "ohara"), ("𝐁𝐨", "bo"),
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["Brindle", "BRINDLE", "brin\u200bdle", "Br\u0301indle", "#xBrindle"]), st.text(max_size=80))
def test_r31_no_text_whatever_lets_the_name_through(before: str, name: str, after: str) -> None:
    left = redactor("Mr Brindle").redact(f"{before} {name} {after}")
    assert "brindle" not in letters(left.text)
