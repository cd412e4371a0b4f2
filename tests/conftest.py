"""Fixtures every test may use, and the wall: no test reaches beyond this machine."""

import csv
import gc
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
    "kill/test_kill", "learn/test_people_public_sets", "web/test_strangers", "learn/test_public_sets", "cli/test_rough_day",
    "cli/test_demo", "learn/test_roll_forms", "web/test_web_in_a_browser", "mail/test_school_year", "mail/test_nothing_named",
    "cli/test_train_command", "cli/test_school", "cli/test_journeys", "jobs/test_local", "evidence/test_live_capture",
    "web/test_accounts_journey", "steps/test_dispose", "evidence/test_capture_fresh", "web/test_people", "platforms/test_x_faults",
    "web/test_web_item", "web/test_submit_page", "learn/test_people_training", "evidence/test_vault_s3", "platforms/test_x_poll",
)  # fmt: skip
"""Files that take longest, longest first: begun first, so that no worker is left alone with one at the end."""


UNTRACED = frozenset({
    "cli/test_demo", "cli/test_journeys", "cli/test_rough_day", "cli/test_train_command", "domain/test_routes_table",
    "evidence/test_attacks", "evidence/test_attacks_stranger", "evidence/test_capture_fresh", "evidence/test_capture_network",
    "evidence/test_capture_picture", "evidence/test_capture_replay", "evidence/test_live_capture", "evidence/test_vault_contract",
    "kill/test_kill", "learn/test_people_public_sets", "learn/test_public_sets", "learn/test_roll_forms", "mail/test_compose_mail",
    "mail/test_mail_on_a_phone", "mail/test_nothing_named", "mail/test_outage_leases", "mail/test_real_mail", "mail/test_real_mailbox",
    "mail/test_school_year", "platforms/test_x_faults", "platforms/test_x_poll", "steps/test_nothing_named_across", "store/test_finding",
    "store/test_guards", "store/test_plans", "store/test_queue", "store/test_reviewed", "store/test_today", "web/test_accounts_journey",
    "web/test_lists_in_a_browser", "web/test_people_signed", "web/test_sign_in_in_a_browser", "web/test_strangers",
    "web/test_three_minutes", "web/test_web_access", "web/test_web_disposed", "web/test_web_guard", "web/test_web_in_a_browser",
    "web/test_web_item", "web/test_web_today",
})  # fmt: skip
"""Files that go the same ways again, thousands of times or in a browser: their lines are covered by others, whose floors still hold.

Tracing every line doubles the time a test takes; without these the whole suite takes half of it.
"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure no coverage while a test of an UNTRACED file is set up, runs and is taken down."""
    coverage = getattr(item.config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    if coverage is None or "/".join(item.path.parts[-2:]).removesuffix(".py") not in UNTRACED:
        return (yield)
    coverage.pause()
    try:
        return (yield)
    finally:
        coverage.resume()


def pytest_collection_finish() -> None:
    """Tell the garbage collector that what is loaded by now stays: else it walks thousands of tests and libraries again and again."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite database migrated once for this run, for tests to copy: every migration would be run hundreds of times else."""
    file = tmp_path_factory.mktemp("migrated") / "moderator.db"
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()  # the last connection to go puts the write-ahead log into the file
    return file


@pytest.fixture
def database(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """Yield an empty, migrated SQLite database."""
    file = tmp_path / "moderator.db"
    shutil.copyfile(migrated_file, file)
    engine = open_engine(f"sqlite:///{file}")
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
        [*as_user, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync"],
        check=True,
        capture_output=True,
        cwd=folder,
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


@pytest.fixture(scope="session")
def migrated_postgres(postgres: str) -> str:
    """Return the socket folder of a server that has a database `migrated`, migrated once for this run, for tests to copy."""
    _create(postgres, "migrated")
    engine = open_engine(_address(postgres, "migrated"))
    upgrade(engine)
    engine.dispose()  # PostgreSQL copies only a database that nobody is connected to
    return postgres


@pytest.fixture
def postgres_database(migrated_postgres: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Yield an empty, migrated PostgreSQL database."""
    name = f"t{abs(hash(request.node.nodeid))}"
    _create(migrated_postgres, name, template="migrated")
    engine = open_engine(_address(migrated_postgres, name))
    yield Database(engine)
    engine.dispose()


def _address(server: str, name: str) -> str:
    return f"postgresql+psycopg://postgres@/{name}?host={server}"


def _create(server: str, name: str, *, template: str = "template1") -> None:
    root = sa.create_engine(_address(server, "postgres"), isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    root.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Yield a stage on each of the two engines."""
    name = "database" if request.param == "sqlite" else "postgres_database"
    made = set_up(request.getfixturevalue(name), tmp_path)
    yield made
    made.tools.recorder.close()
