"""The tables of name forms: built from lists, the same each time, and sound as shipped."""

from pathlib import Path

from moderator.learn.roll.build_tables import distance, main
from moderator.learn.roll.tables import TITLES, WORD_TITLES, common_words, variants

LISTS = {
    "names/lists/uk_first_names.csv": "name,sex,n,first,last\nmatilda,F,900,1974,2020\ntilly,F,500,1974,2020\nmatylda,F,3,1974,2020\n",
    "names/lists/nicknames.csv": "name1,relationship,name2\nmatilda,is,tilly\nmatilda,is,matilda\nmatilda,is,m\n",
    "names/lists/uk_first_variants.csv": "forename,forename2,freq\nmatilda,matylda,0.5\nmatilda,maud,0.5\nmatilda,matilde,0.5\n",
    "names/lists/uk_last_variants.csv": "lastname1,lastname2,freq\nclarke,clark,1\nclarke,clarke,1\nclarke,featherstone,1\n",
    "comments/youtube.txt": "a nice day with Nice people, so nice\n" * 10 + "ALL CAPITALS HERE\n\n",
    "abuse/goemotions.txt": "what a day. And we saw Leeds, we liked Leeds\n" * 12,
}


def _build(folder: Path) -> tuple[str, str]:
    for name, text in LISTS.items():
        path = folder / "lists" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "own_variants.txt").write_text("# ours\n\nzofia zosia sofia\n", encoding="utf-8")
    main(folder / "lists", folder)
    return (folder / "variants.txt").read_text(encoding="utf-8"), (folder / "common.txt").read_text(encoding="utf-8")


def test_tables_are_built_from_lists(tmp_path: Path) -> None:
    forms, common = _build(tmp_path)
    assert [line for line in forms.splitlines() if not line.startswith("#")] == [
        "[first]",
        "matilda tilly matylda",
        "matylda matilda",
        "sofia zofia zosia",
        "tilly matilda",
        "zofia zosia sofia",
        "zosia zofia sofia",
        "[last]",
        "clark clarke",
        "clarke clark",
    ]
    assert common.split() == ["day", "liked", "nice", "people", "saw", "so", "we", "with"]
    assert (forms, common) == _build(tmp_path)


def test_distance_counts_single_edits() -> None:
    assert [distance("marwood", other) for other in ("marwood", "marwod", "marwoodd", "norwood")] == [0, 1, 1, 2]


def test_the_shipped_tables_are_sound() -> None:
    firsts, lasts = variants()
    assert {"tilly", "mattie"} <= set(firsts["matilda"])
    assert "elizabeth" in firsts["liz"]
    assert "smyth" in lasts["smith"]
    assert all(len(others) <= 14 and name not in others for name, others in (firsts | lasts).items())
    assert {"the", "hope", "im"} <= common_words()
    assert not {"begum", "nowak", "siobhan"} & common_words()
    assert WORD_TITLES < TITLES
