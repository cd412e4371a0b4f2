"""Disguises of rude and plain words, one family after another; what they are read as. Mild where a mild word shows the same."""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import pytest

from moderator.text.mend import mend, mend_signs
from moderator.text.normalise import HANDLE, LINK, align, normalise

LEET = """
b1tch bitch|a55hole asshole|5lut slut|f4ggot faggot|$h1t shit|d!ck dick|@sshole asshole|ni99er nigger|n1gg@ nigga|8itch bitch|6itch bitch
cl0wn clown|1d10t idiot|1d1ot idiot|stup1d stupid|l0ser loser|m0r0n moron|w@nker wanker|b()llocks bollocks|th3 the|7eacher teacher
y0ur5elf yourself|k!ll kill|$tupid stupid|€vil evil|p4the7ic pathetic|wh@t what|kn0ck$ knocks|@nyone anyone|b3h1nd behind
fr!ends friends|som3 some|l1mp limp|4b0ut about|$kwizzle skwizzle|kayd3nson kaydenson|skw!zzle skwizzle|5hit shit|as5hole asshole|4ss ass
"""
MASKED = """
f*ck fuck|f**k fuck|f*** fuck|f*ing fucking|c**t cunt|sh*t shit|w*nker wanker|b*stard bastard|tw@t twat|d**k dick|id*ot idiot|st^pid stupid
f#ck fuck|f@ck fuck|f-ck fuck|sh.t shit|a**hole asshole|n****r nigger|great*** great|p*ople people|wo*ld would|th*t that|b%cause because
m**n m*n|f******* f*|s**** s*
"""
APART = """
f.uck fuck|stu-pid stupid|id*iot idiot|i.d.i.o.t idiot|i-d-i-o-t idiot|w_a_n_k_e_r wanker|k.y.s. kys|i.d.1.o.t idiot|wi-fi wifi
P.E. pe|e.g. eg
a-1-b a 1 b|ma#tter matter|s.tup1d stupid
"""
REPEATED = "stuuupid stupid|idiiiot idiot|loooser loser|fooool fool|stupiid stupid|tooo too|rapped rapped|hatter hatter"
REPEATED_TOO = "qzzzx qzx|bbbiitchh bitch|ffuukk ffuukk"
SLIPS = "idoit idiot|stpuid stupid|teh teh|thsi this|freind friend|Siobhan siobhan|bitchse bitches"
SHORT = "gr8 great|m8 mate|l8r later|b4 before|2moro tomorrow|2nite tonight|str8 straight"
SHORT_TOO = "no1 no one|fck fuck|btch bitch|fuuukin fucking"
TOGETHER = """
youareanidiot you are an idiot|killyourself kill yourself|logan4life logan for life|straightforward straightforward
llanfairpwll llanfairpwll|featherstonehaugh featherstonehaugh|specification specification|abdulrahman abdulrahman
"""
LETTERS = """
🅱itch bitch|c⭕ck cock|sh❗t shit|💲hit shit|f🤬ck fuck|🇫🇺🇨🇰 fuck|ⓒⓛⓞⓦⓝ clown|𝕔𝕝𝕠𝕨𝕟 clown|ʇoıpı idiot|c̴l̷o̸w̶n clown|\u202enwolc\u202c clown
сlоwn clown|clоωη clown|ѕсаm scam|ϲӏоwn clown|cl\u200bow\u2060n clown|ｃｌｏｗｎ clown|ʇɹɹxz trrxz
🐍ball snake ball
"""
PICTURES = """
😡 enraged face|🇬🇧 united kingdom|🇬🇧🇫🇷 united kingdom france|👍🏽 thumbs up|😂😂😂😂 face with tears of joy|1️⃣ 1
❤️ red heart|<3 heart|</3 broken heart
"""


def _pairs(*listed: str) -> list[tuple[str, str]]:
    pairs = [pair for line in listed for pair in line.strip("\n").replace("\n", "|").split("|")]
    return [(pair.partition(" ")[0], pair.partition(" ")[2]) for pair in pairs]


@pytest.mark.parametrize(
    ("given", "meant"), _pairs(LEET, MASKED, APART, REPEATED, REPEATED_TOO, SLIPS, SHORT, SHORT_TOO, TOGETHER, LETTERS, PICTURES)
)
def test_a_disguised_word_is_read_as_meant(given: str, meant: str) -> None:
    assert normalise(given) == meant
    assert align(given).text == meant


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("you f u c k", "you fuck"),
        ("k y s", "kys"),
        ("y o u a r e a n i d i o t", "you are an idiot"),
        ("f . u . c . k", "fuck"),
        ("1 d 1 o t", "idiot"),
        ("q x z v w", "qxzvw"),
        ("u r a fool", "u r a fool"),
        ("we won 3 2 1", "we won 3 2 1"),
        ("🇫 🇺 🇨 🇰", "fuck"),
        ("уоu аrе аn іdіоt", "you are an idiot"),
        ("ѕо со", "so co"),
        ("это сука", "это сука"),
        ("это реnіѕ", "это penis"),
        ("это аѕѕ", "это ass"),
        ("ʇoıpı uɐ ǝɹɐ noʎ", "idiot an are you"),
        ("&amp; it&#39;s ok &lt;3", "its ok heart"),
        ("\u002a\ufe0f\u20e3", ""),
        ("hi!there no!Kayden", "hi ! there no ! kayden"),
        ("what?no", "what ? no"),
        ("👨\u200d👩\u200d👧 day", "family man woman girl day"),
        ("\U0001f9d1\u200d\U0001f004 x", "person x"),
        ("@jo_bloggs @_jo @bout", f"{HANDLE} {HANDLE} {HANDLE}"),
        ("oakfield.sch.uk/news and jo@oakfield.sch.uk", f"{LINK} and {LINK}"),
        ("#SackMrPatel #justice4kayden", "sack mr patel justice for kayden"),
        ("P" + "a" * 60, "pa"),
        ("x" * 50 + "-y", "x y"),
    ],
)
def test_a_disguised_text_is_read_as_meant(given: str, meant: str) -> None:
    assert normalise(given) == meant
    assert align(given).text == meant


def test_a_word_of_its_own_is_mended_by_itself() -> None:
    assert mend("ls14ap") == "ls14ap"
    assert mend("ab12cde") == "ab12cde"
    assert mend("iphone7plus") == "iphone7plus"
    assert mend("111222333444") == "111222333444"
    assert mend("a" * 41) == "a"
    assert mend("ббб") == "б"
    assert mend_signs("é-é") == "é é"
    assert mend_signs("zzqk|") == "zzqk "
    assert mend_signs("хा-y") == "хा y"
