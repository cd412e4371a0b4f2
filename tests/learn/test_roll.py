"""The roll: kept as keyed digests, matched in every form a comment may use."""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.domain.person import Evidence, RollEntry
from moderator.domain.score import PersonKind
from moderator.learn.roll import RollMatcher, roll_tokens
from moderator.learn.roll.keyed import Keyed
from moderator.learn.roll.lexicon import KNOWN_AT_MOST, Looked
from moderator.text.normalise import normalise

KEY = b"k" * 32
PUPIL = RollEntry("P1", PersonKind.PUPIL, "Siobhán", "O'Brien", known_as="Shiv")
STAFF = RollEntry("S1", PersonKind.STAFF, "Amina", "Begum", title="Mrs")
LONG = RollEntry("P2", PersonKind.PUPIL, "Ana Maria", "de Souza-Lima")
ONLY = RollEntry("O1", PersonKind.OTHER, "", "Oakfield")
SCOT = RollEntry("S2", PersonKind.STAFF, "Ewan", "MacKinnon", title="Mr")
MARRIED = RollEntry("S3", PersonKind.STAFF, "Imogen", "Quillfeather", title="Ms", other_last_name="Larkspur")
WORDY = RollEntry("P3", PersonKind.PUPIL, "William", "Long")
HUNT = RollEntry("S4", PersonKind.STAFF, "Isla", "Hunt", title="Miss")


def _matcher(*entries: RollEntry) -> RollMatcher:
    return RollMatcher([token for entry in entries for token in roll_tokens(entry, KEY)], KEY)


MATCHER = _matcher(PUPIL, STAFF, LONG, ONLY, SCOT, MARRIED, WORDY, HUNT)


@pytest.mark.parametrize(
    ("text", "found", "reference"),
    [
        ("saw Siobhán O'Brien today", "Siobhán O'Brien", "P1"),
        ("saw siobhan obrien today", "siobhan obrien", "P1"),
        ("saw Siobha\u0301n O'Brien today", "Siobha\u0301n O'Brien", "P1"),
        ("SIOBHAN O’BRIEN", "SIOBHAN O’BRIEN", "P1"),
        ("saw Siobhan O Brien today", "Siobhan O Brien", "P1"),
        ("O'Brien, Siobhan", "O'Brien, Siobhan", "P1"),
        ("O'Brien Siobhan", "O'Brien Siobhan", "P1"),
        ("S. O'Brien did it", "S. O'Brien", "P1"),
        ("S O'Brien's bag", "S O'Brien", "P1"),
        ("s obrien did it", "s obrien", "P1"),
        ("O'Brien, S. was there", "O'Brien, S", "P1"),
        ("Shiv O'Brien", "Shiv O'Brien", "P1"),
        ("Siobhán (Shiv) O'Brien", "Siobhán (Shiv) O'Brien", "P1"),
        ("Siobhan M O'Brien", "Siobhan M O'Brien", "P1"),
        ("#SiobhanOBrien", "SiobhanOBrien", "P1"),
        ("@siobhan_obrien lol", "siobhan_obrien", "P1"),
        ("@siobhan.obrien lol", "siobhan.obrien", "P1"),
        ("@siobhanobrien99", "siobhanobrien", "P1"),
        ("@obriensiobhan", "obriensiobhan", "P1"),
        ("@sobrien05 is at it again", "sobrien", "P1"),
        ("#justiceforsiobhanobrien now", "siobhanobrien", "P1"),
        ("siobhanobrien did it", "siobhanobrien", "P1"),
        ("Siоbhan O'Brien", "Siоbhan O'Brien", "P1"),
        ("Sio\u200bbhan O'Brien", "Sio\u200bbhan O'Brien", "P1"),
        ("S10bhan... no, s1obhan obrien", "s1obhan obrien", "P1"),
        ("Mrs Begum", "Mrs Begum", "S1"),
        ("miss begum", "miss begum", "S1"),
        ("dr. Begum", "dr. Begum", "S1"),
        ("Mrs A Begum", "Mrs A Begum", "S1"),
        ("mrs amina begum", "mrs amina begum", "S1"),
        ("@mrsbegum", "mrsbegum", "S1"),
        ("#MrsBegumRocks", "MrsBegum", "S1"),
        ("#TeamSiobhánOBrien", "SiobhánOBrien", "P1"),
        ("#ｓiobhanobrienforever", "ｓiobhanobrien", "P1"),
        ("#\u0133siobhanobrien", "\u0133siobhanobrien", "P1"),
        ("mrsbegum is late", "mrsbegum", "S1"),
        ("Amina Begum's lesson", "Amina Begum", "S1"),
        ("Mrs Begun is late", "Mrs Begun", "S1"),
        ("Ana Maria de Souza-Lima", "Ana Maria de Souza-Lima", "P2"),
        ("Ana de Souza Lima", "Ana de Souza Lima", "P2"),
        ("anamaria lima", "anamaria lima", "P2"),
        ("Ana Souza was there", "Ana Souza", "P2"),
        ("ewan mckinnon", "ewan mckinnon", "S2"),
        ("Mr Mac Kinnon", "Mr Mac Kinnon", "S2"),
        ("Ewan Mc Kinnon", "Ewan Mc Kinnon", "S2"),
        ("imogen larkspur", "imogen larkspur", "S3"),
        ("Ms Quilfeathers said", "Ms Quilfeathers", "S3"),
        ("Bill Long", "Bill Long", "P3"),
        ("miss hunt is late", "miss hunt", "S4"),
        ("that I Hunt again", "I Hunt", "S4"),
        ("E. J. MacKinnon", "E. J. MacKinnon", "S2"),
        ("J. E. MacKinnon", "E. MacKinnon", "S2"),
    ],
)
def test_r20_every_form_of_a_name_on_the_roll_is_found(text: str, found: str, reference: str) -> None:
    (person,) = [person for person in MATCHER.named(text, normalise(text).split(" ")) if person.strong]
    assert (person.text, person.reference, person.source) == (found, reference, "roll")
    assert text[person.start : person.end] == found


@pytest.mark.parametrize(
    "typo",
    [
        "sioban obrien",
        "siobhann obrien",
        "siobhqn obrien",
        "soibhan obrien",
        "siobhan obrein",
        "siobhan obrie",
        "siobhan obbrien",
        "Siobhan O'Brian",
    ],
)
def test_one_slip_of_the_keyboard_is_undone(typo: str) -> None:
    (person,) = MATCHER.find(f"saw {typo} today")
    assert (person.text, person.reference, person.strong) == (typo, "P1", True)


@pytest.mark.parametrize("typo", ["sioban obrein", "shiobann obrien", "amina begxmq"])
def test_two_slips_are_another_name(typo: str) -> None:
    assert not [person for person in MATCHER.find(typo) if person.strong]


@pytest.mark.parametrize("text", ["Siobhan is lovely", "shiv!", "well done amina", "asked O'Brien about it", "the Quillfeather family"])
def test_a_lone_first_or_last_name_is_weak_evidence(text: str) -> None:
    (person,) = MATCHER.find(text)
    assert not person.strong


@pytest.mark.parametrize(
    "text",
    [
        "Begum and co",
        "Amina. Begum!! no",
        "Amina went out and Begum stayed",
        "Mr O'Brien was a pupil? no",
        "",
        "great match",
        "Maria",
        "bill long overdue",
        "we will long for it",
        "I hunt for bargains",
        "a hunt for eggs",
        "I miss hunt day",
        "miss the match",
        "Josh's long day",
        "r long and u long",
        "the mac and the kinnon",
        "Hunt, I think",
        "siobhan's obrien",
        "@sirbegum and @MsBegan",
        "#obrien",
        "sobrien",
        "huntisla",
        "#somethingelseentirely",
        "#a",
        "siobhanically brienish",
        "Siobhan Ob",
        "x" * 60,
    ],
)
def test_parts_apart_and_everyday_words_are_no_strong_match(text: str) -> None:
    assert not [person for person in MATCHER.find(text) if person.strong]


def test_r21_a_form_that_two_people_share_names_neither_and_may_mean_both() -> None:
    twin = RollEntry("S2", PersonKind.STAFF, "Siobhan", "O'Brien")
    (person,) = _matcher(PUPIL, twin).find("Siobhan O'Brien")
    assert (person.kind, person.reference, person.strong) == (PersonKind.PUPIL, "", True)
    assert person.shared == tuple(sorted((PUPIL.reference, "S2")))


def test_a_whole_name_beats_the_same_word_as_a_first_name() -> None:
    matcher = _matcher(RollEntry("P3", PersonKind.PUPIL, "Oakfield", ""), RollEntry("S4", PersonKind.STAFF, "Oak", "Field"))
    (person,) = matcher.find("@oakfield")
    assert person.strong
    assert person.kind is PersonKind.STAFF


def test_r29_tokens_hold_no_name_and_need_the_key() -> None:
    tokens = roll_tokens(PUPIL, KEY)
    held = repr(tokens).lower().encode() + b"".join(token.digests for token in tokens).lower()
    assert not any(name in held for name in (b"siobh", b"brien", b"shiv"))
    assert not [person for person in RollMatcher(tokens, b"another key").find("Siobhan O'Brien") if person.strong]
    assert {token.evidence for token in tokens} == set(Evidence)
    assert roll_tokens(PUPIL, KEY) == tokens


def test_r29_equal_names_do_not_look_equal_at_rest() -> None:
    one, other = (roll_tokens(replace(STAFF, reference=reference), KEY) for reference in ("S1", "S7"))
    own = {Evidence.WHOLE, Evidence.LONE}
    for left, right in zip(one, other, strict=True):
        assert left.evidence is right.evidence
        if left.evidence in own:
            pieces = [{token.digests[place : place + 8] for place in range(0, len(token.digests), 8)} for token in (left, right)]
            assert not pieces[0] & pieces[1]
        else:
            assert (left.digests, left.reference, left.kind) == (right.digests, "", PersonKind.UNKNOWN)


def test_short_and_strange_names_are_found_as_they_are() -> None:
    matcher = _matcher(
        RollEntry("P8", PersonKind.PUPIL, "Jo", "Li-Wu"),
        RollEntry("P9", PersonKind.PUPIL, "Rebekah", "Mcinytre-Ng"),
        RollEntry("S9", PersonKind.STAFF, "J", "Oakenshaw"),
        RollEntry("G9", PersonKind.GOVERNOR, "Desmond", "Featherstone-Oakenshaw"),
    )
    for text, reference in (
        ("jo li-wu was there", "P8"),
        ("rebekah mcinytre ng", "P9"),
        ("#rebekahmcinytreng", "P9"),
        ("J Oakenshaw", "S9"),
        ("desmond fetherston-oakenshaw", "G9"),
        ("desmond featherstn-oakensaw", "G9"),
        ("mr fetherston-oakenshaw", "G9"),
    ):
        (person,) = [person for person in matcher.named(text, normalise(text).split(" ")) if person.strong]
        assert person.reference == reference, text


def test_a_mask_is_undone_by_its_key_only() -> None:
    keyed = Keyed(KEY)
    masked = keyed.mask([3, 1, 2, 2], "somebody")
    assert keyed.unmask(masked) == b"".join(number.to_bytes(8, "big") for number in (1, 2, 3))
    assert Keyed(b"other").unmask(masked) != keyed.unmask(masked)
    with pytest.raises(ValueError, match="key"):
        Keyed(b"k" * 65)


def test_a_name_without_letters_gives_no_tokens() -> None:
    assert roll_tokens(RollEntry("X", PersonKind.OTHER, "…", "?"), KEY) == ()
    assert RollMatcher((), KEY).find("Siobhan O'Brien, Mrs Begum, quillfeatherstone") == ()


def test_tokens_in_any_order_match_alike() -> None:
    tokens = [token for entry in (PUPIL, STAFF, LONG) for token in roll_tokens(entry, KEY)]
    texts = ["Siobhan O'Brien and Mrs Begum", "anamaria lima", "Amina"]
    assert [RollMatcher(tokens, KEY).find(text) for text in texts] == [RollMatcher(tokens[::-1], KEY).find(text) for text in texts]


def test_most_texts_need_no_look_and_a_full_memory_changes_nothing() -> None:
    assert not MATCHER.worth_a_look(["what", "a", "great", "match", "today"])
    assert MATCHER.worth_a_look(["begum"])
    assert MATCHER.worth_a_look(["userhandle", "lol"])
    small = _matcher(STAFF)
    lexicon = small._lexicon  # noqa: SLF001 - a memory that is full
    lexicon._seen = dict.fromkeys(map(str, range(KNOWN_AT_MOST)), Looked("", 0, 0))  # noqa: SLF001 - the same
    lexicon._alike = dict.fromkeys(map(str, range(KNOWN_AT_MOST)), ())  # noqa: SLF001 - the same
    (person,) = small.find("amina begun")
    assert person.strong
    assert len(lexicon._seen) <= 4  # noqa: SLF001 - it was emptied
    assert len(lexicon._alike) == 1  # noqa: SLF001 - the same


@settings(deadline=None)
@given(st.text(alphabet=st.characters()))
def test_any_text_can_be_matched(text: str) -> None:
    whole = f"Amina Begum {text} amina begum"
    people = MATCHER.find(whole)
    ends = [0]
    for person in people:
        assert ends[-1] <= person.start < person.end <= len(whole)
        assert whole[person.start : person.end] == person.text
        ends.append(person.end)
