"""The guide of who may do what is what the table makes (R3): nobody can change one and forget the other."""

import importlib.util
from pathlib import Path

from moderator.domain.access import ACTION_WORDS, MAY, ROLE_WORDS, Action, Role
from moderator.domain.routes import DEFAULTS, IN_ABSENCE, IN_CONFLICT, KIND_WORDS, RouteKind, may_be_told

ROOT = Path(__file__).resolve().parents[1]


def made() -> str:
    spec = importlib.util.spec_from_file_location("who_may", ROOT / "ops" / "who_may.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.guide())


def test_r3_the_guide_is_what_the_table_makes() -> None:
    assert (ROOT / "ops" / "guides" / "who-may-do-what.md").read_text(encoding="utf-8") == made(), "run: python ops/who_may.py"


def test_r3_the_guide_has_every_action_role_and_route_and_the_tables_have_words_for_all() -> None:
    guide = made()
    assert set(MAY) == set(ACTION_WORDS) == set(Action)
    assert set(ROLE_WORDS) == set(Role)
    assert set(DEFAULTS) == set(KIND_WORDS) == set(RouteKind)
    assert set(IN_ABSENCE) == set(IN_CONFLICT) == {role for kind in RouteKind for role in may_be_told(kind)} - {Role.TRUSTEE}
    for words in (*ACTION_WORDS.values(), *ROLE_WORDS.values(), *KIND_WORDS.values()):
        assert f"| {words} " in guide
    for action in Action:
        row = next(line for line in guide.splitlines() if line.startswith(f"| {ACTION_WORDS[action]} |"))
        assert row.count(" yes ") == len(MAY[action])
