"""Handing an item up: who gets the mail, who never does, and that nothing is half done."""

from datetime import date

import pytest
import sqlalchemy as sa
from cast import enrol
from stage import NOON, Stage, comment

from moderator.domain.access import Role
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.review import Review, Verdict
from moderator.steps.escalate import escalate
from moderator.steps.review import review, uphold_together
from moderator.store import concerns, register
from moderator.store.items import ITEMS
from moderator.store.outbox import OUTBOX

WHY = "I know the family; please look."


@pytest.fixture
def hidden(any_stage: Stage) -> Stage:
    enrol(any_stage)
    any_stage.platform.comments.append(comment(11, "Tilly Marwood is an idiot"))
    any_stage.run("poll", "score", "decide", "record", "hide")
    return any_stage


def mailed(stage: Stage) -> list[str]:
    """Return to whom mails of handing up go."""
    with stage.database.reading() as connection:
        found = connection.execute(sa.select(OUTBOX.c.message).where(OUTBOX.c.key.startswith("escalated-")).order_by(OUTBOX.c.id)).scalars()
        return [line.removeprefix("To: ") for mail in found for line in mail.decode().splitlines() if line.startswith("To: ")]


def test_everybody_with_the_role_gets_a_mail_once(hidden: Stage) -> None:
    with hidden.database.unit() as unit:
        second = register.add_person(unit.connection, name="Wendel Achterberg", email="second@oakfield.example", at=NOON)
        for role, school in ((Role.SAFEGUARDING_LEAD, EVERY_SCHOOL), (Role.CEO, EVERY_SCHOOL)):
            register.designate(
                unit.connection,
                person_id=second.id,
                role=role,
                school=school,
                signed_by="CEO-1",
                signed_on=date(2026, 9, 1),
                begins_on=date(2026, 9, 1),
            )
    review(hidden.tools, Review(1, Verdict.UPHOLD, "HEAD-1", WHY, hidden.clock.now()))
    assert escalate(hidden.tools, 1, role="tsl", by="HEAD-1", why=WHY) == 2
    assert mailed(hidden) == ["tsl@oakfield.example", "second@oakfield.example"]
    assert hidden.rows("state", "needs_review") == [("upheld", True)]
    assert hidden.ledger_events()[-1] == "registered"
    with hidden.database.reading() as connection:
        (entry,) = concerns.escalations_of(connection, 1)
    assert (entry.role, entry.by, entry.why) == (Role.SAFEGUARDING_LEAD, "HEAD-1", WHY)
    assert escalate(hidden.tools, 1, role="head", by="TSL-1", why=WHY) == 1


def test_r21_never_to_whom_the_comment_names(hidden: Stage) -> None:
    with hidden.database.unit() as unit:
        found = register.person_by_email(unit.connection, "dsl@oakfield.example")
        assert found is not None
        register.change_person(unit.connection, type(found)(found.id, found.name, found.email, "P-1"))
    with pytest.raises(NotAllowed, match="Nobody is designated as Designated Safeguarding Lead"):
        escalate(hidden.tools, 1, role="dsl", by="HEAD-1", why=WHY)
    assert mailed(hidden) == []
    assert hidden.ledger_events().count("registered") == 0
    assert escalate(hidden.tools, 1, role="head", by="ADMIN-1", why=WHY) == 1


def test_r15_a_disclosure_goes_to_safeguarding_only(hidden: Stage) -> None:
    with hidden.database.unit() as unit:
        unit.connection.execute(sa.update(ITEMS).values(safeguarding=True, decision=None))
    for role in ("head", "ceo", "admin", ""):
        with pytest.raises(BadInput, match="to whom"):
            escalate(hidden.tools, 1, role=role, by="DSL-1", why=WHY)
    assert escalate(hidden.tools, 1, role="dsl", by="DSL-1", why=WHY) == 1


def test_r17_what_is_for_the_police_is_handed_to_nobody(stage: Stage) -> None:
    enrol(stage)
    stage.platform.comments.append(comment(11, "indecent_image"))
    stage.run("poll", "score", "decide")
    with pytest.raises(NotAllowed, match="police alone"):
        escalate(stage.tools, 1, role="dsl", by="HEAD-1", why=WHY)


def test_items_of_two_schools_are_not_upheld_together(hidden: Stage) -> None:
    hidden.platform.comments.append(comment(12, "You are an idiot"))
    hidden.database.poll_now()
    hidden.run("poll", "score", "decide")
    both = [Review(number, Verdict.UPHOLD, "HEAD-1", WHY, hidden.clock.now()) for number in (1, 2)]
    with pytest.raises(NotAllowed, match="item-2 \\(still being worked on\\)"):
        uphold_together(hidden.tools, both)
    hidden.run("record", "hide")
    with hidden.database.unit() as unit:
        unit.connection.execute(sa.update(ITEMS).where(ITEMS.c.id == 2).values(school="ashford"))
    with pytest.raises(NotAllowed, match="another school's"):
        uphold_together(hidden.tools, both)


def test_a_long_choice_is_told_in_few_words(hidden: Stage) -> None:
    with hidden.database.unit() as unit:
        unit.connection.execute(sa.update(ITEMS).values(severity="severe", rank=0))
        row = unit.connection.execute(sa.select(ITEMS)).mappings().one()
        copies = [{**row, "id": number, "comment_id": f"c{number}"} for number in range(2, 8)]
        unit.connection.execute(sa.insert(ITEMS), copies)
        unit.connection.execute(
            sa.text('UPDATE items SET decision = replace(decision, \'"severity":"ordinary"\', \'"severity":"severe"\')')
        )
    all_of_them = [Review(number, Verdict.UPHOLD, "HEAD-1", WHY, hidden.clock.now()) for number in range(1, 8)]
    with pytest.raises(NotAllowed, match=r"\(serious\) and 2 more\."):
        uphold_together(hidden.tools, all_of_them)
