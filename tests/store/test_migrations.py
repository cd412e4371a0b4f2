"""The schema: up, down, and equal to the models, on both engines, with data in it."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel
from stage import Stage, comment

from moderator.domain.errors import BadInput
from moderator.store.engine import open_engine
from moderator.store.items import ITEM_PEOPLE, ITEMS
from moderator.store.schema import MIGRATIONS, downgrade, newest, upgrade, version


def test_the_models_are_the_migrated_schema(any_stage: Stage) -> None:
    with any_stage.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_down_and_up_again_with_data(any_stage: Stage) -> None:
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run("poll", "score", "decide", "record", "hide")
    engine = any_stage.database.engine
    downgrade(engine)
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]
    upgrade(engine)
    assert version(engine) == newest()
    upgrade(engine)


def test_what_lists_ask_for_is_filled_in_for_items_from_before(any_stage: Stage) -> None:
    texts = ("You are an idiot, Tilly Marwood", "This is a disclosure of harm", "Lovely", "indecent_image")
    any_stage.platform.comments += [comment(11 + number, text) for number, text in enumerate(texts)]
    any_stage.run("poll", "score", "decide", "record", "hide")
    engine = any_stage.database.engine

    def asked_for() -> list[list[tuple[object, ...]]]:
        with engine.connect() as connection:
            items = connection.execute(sa.select(ITEMS.c.id, ITEMS.c.grounds, ITEMS.c.about, ITEMS.c.safeguarding).order_by(ITEMS.c.id))
            named = connection.execute(sa.select(ITEM_PEOPLE).order_by(*ITEM_PEOPLE.c))
            return [[tuple(row) for row in rows] for rows in (items, named)]

    before = asked_for()
    assert before[1] != []
    assert [row[3] for row in before[0]] == [False, True, False, False]
    downgrade(engine, "0003")
    upgrade(engine)
    assert asked_for() == before


def test_the_newest_version_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == newest()


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(BadInput, match="not supported"):
        open_engine("mysql://localhost/x")
