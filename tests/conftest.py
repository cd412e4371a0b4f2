"""Fixtures every test may use, and the wall: no test reaches beyond this machine."""

import csv
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from pytest_socket import socket_allow_hosts
from stage import Stage, set_up

from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.schema import upgrade

LONGEST = (
    "kill/test_kill", "learn/test_people_public_sets", "cli/test_train_command", "learn/test_people_training", "learn/test_public_sets",
    "cli/test_rough_day", "cli/test_demo", "web/test_web_in_a_browser", "learn/test_training", "learn/test_roll_forms",
)  # fmt: skip
"""Files that take longest, longest first: begun first, so that no worker is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; everything else stays in order."""
    places = {f"{name}.py": at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get("/".join(item.path.parts[-2:]), len(places)))


def pytest_runtest_setup() -> None:
    """Let tests talk to loopback and Unix sockets only."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def process_as_it_was() -> Iterator[None]:
    """Undo what a command changes for its whole process: the logging, and how long a CSV cell may be."""
    longest = csv.field_size_limit()
    yield
    csv.field_size_limit(longest)
    structlog.reset_defaults()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Yield an empty, migrated SQLite database."""
    engine = open_engine(f"sqlite:///{tmp_path / 'moderator.db'}")
    upgrade(engine)
    yield Database(engine)
    engine.dispose()


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Iterator[Stage]:
    """Yield a stage with one approved account in hide mode."""
    made = set_up(database, tmp_path)
    yield made
    made.tools.recorder.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the socket folder of a real PostgreSQL server started for this run; each test makes a database of its own in it."""
    programs = _postgres_programs()
    folder = tmp_path_factory.mktemp("pg")
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        for parent in (folder, *folder.parents):
            if parent == Path("/tmp"):  # noqa: S108 - up to the shared root of temporary folders
                break
            parent.chmod(0o711 if parent != folder else 0o700)
        as_user = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    subprocess.run(
        [*as_user, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres"], check=True, capture_output=True, cwd=folder
    )
    options = f"-k {folder} -h '' -c fsync=off"
    started = [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start"]
    subprocess.run(started, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    yield str(folder)
    subprocess.run(
        [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"], check=False, capture_output=True, cwd=folder
    )


def _postgres_programs() -> Path:
    named = os.environ.get("POSTGRES_BIN")
    found = [Path(named)] if named else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.fail("PostgreSQL is not on this machine: run `make test`, which installs it")
    return found[-1]


@pytest.fixture
def postgres_database(postgres: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Yield an empty, migrated PostgreSQL database."""
    name = f"t{abs(hash(request.node.nodeid))}"
    root = sa.create_engine(f"postgresql+psycopg://postgres@/postgres?host={postgres}", isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    root.dispose()
    engine = open_engine(f"postgresql+psycopg://postgres@/{name}?host={postgres}")
    upgrade(engine)
    yield Database(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Yield a stage on each of the two engines."""
    name = "database" if request.param == "sqlite" else "postgres_database"
    made = set_up(request.getfixturevalue(name), tmp_path)
    yield made
    made.tools.recorder.close()
