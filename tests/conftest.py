"""Shared by all tests: the databases, and the same Hypothesis examples in every run."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from bot.core.logs import TextFormatter
from tests import shared
from tests.databases import AnyDatabase, PostgresDatabase, Server, SqliteFile
from tests.postgresql import Cluster, NoPostgreSQLError, running_cluster
from tests.virtual_time import VirtualTimeLoop

# The same examples each time: a test that fails once fails again.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, max_examples=50
)
settings.load_profile("repeatable")


# Before pytest chooses the directory of `tmp_path`.
shared.keep_temporary_files_in_memory()
shared.collect_garbage_less_often()


@pytest.fixture(autouse=True, scope="session")
def shared_state() -> Iterator[None]:
    """Share what doesn't differ between tests."""
    with shared.patches():
        yield


@pytest.fixture(autouse=True)
def edit_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make edits at once, instead of waiting until the thread is idle."""
    monkeypatch.setattr("bot.publishing.leisure.LONGEST", timedelta(0))


@pytest.fixture
def new_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each bot as an operator does, interpreter and all."""
    monkeypatch.setattr("sandbox.bot_process.asyncio", asyncio)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Show the extra fields of log lines where a test fails: they say why."""
    if capture := session.config.pluginmanager.get_plugin("logging-plugin"):
        capture.report_handler.setFormatter(TextFormatter())


def pytest_runtest_setup(item: pytest.Item) -> None:
    """With `--cov`, measure the unit tests only: it makes the others take twice as long."""
    measured = item.path.is_relative_to(TESTS / "unit")
    plugin = item.config.pluginmanager.get_plugin("_cov")
    coverage = plugin and plugin.cov_controller
    if coverage and coverage.started != measured:
        coverage.resume() if measured else coverage.pause()


def pytest_runtest_logfinish() -> None:
    """Release the bot that the test ran, so that garbage collections stay short."""
    shared.forget_applications()


TESTS = Path(__file__).parent
# Where single tests take longest, in that order; the browser's come first so that they stay with
# one worker, as each needs a Chromium and a served sandbox of its own.
SLOWEST = ("browser", "machine", "outages", "crash", "e2e", "integration", "unit")
PLACE = {folder: number for number, folder in enumerate(SLOWEST)}


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """With `-n auto`, start more workers than cores: many tests wait for other processes."""
    if config.option.numprocesses != "auto":
        return None
    usable = hasattr(os, "sched_getaffinity")
    return 2 * (len(os.sched_getaffinity(0)) if usable else os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: PLACE.get(item.path.relative_to(TESTS).parts[0], 0))


KINDS = ["sqlite", "postgresql"]
# A server to use instead of our own; “none” skips tests on PostgreSQL.
SERVER = os.environ.get("TEST_DATABASE_URL", "")
POSTGRESQL_SKIPPED = "TEST_DATABASE_URL=none: nothing was tested on PostgreSQL"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, as skipped tests are easily overlooked."""
    if SERVER == "none":
        terminalreporter.write_line(POSTGRESQL_SKIPPED, yellow=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of our own, for the databases of all tests."""
    with _started_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """Another one that nothing else depends on: a test may stop and start it."""
    with _started_cluster() as cluster:
        yield cluster


@contextmanager
def _started_cluster() -> Iterator[Cluster]:
    if SERVER == "none":
        pytest.skip(POSTGRESQL_SKIPPED)
    try:
        with running_cluster() as started:
            yield started
    except NoPostgreSQLError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """The PostgreSQL server on which tests have their databases."""
    own = SERVER in ("", "none")
    return Server(request.getfixturevalue("cluster").url if own else SERVER)


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """The name of a database that has all tables."""
    with server.migrated() as name:
        yield name


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Use virtual time where a test is marked so, except with PostgreSQL, a separate process."""
    uses_postgresql = config.getoption("--all-databases") or item.get_closest_marker(
        "both_databases"
    )
    if item.get_closest_marker("virtual_time") and not uses_postgresql:
        return {"virtual": VirtualTimeLoop}
    return {"real": asyncio.new_event_loop}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-databases", action="store_true", help="run every test on SQLite and on PostgreSQL"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on both databases if it is marked so, or with `--all-databases`."""
    all_databases = metafunc.config.getoption("--all-databases")
    if not all_databases and not metafunc.definition.get_closest_marker("both_databases"):
        return
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    for name in ("database", "empty_database"):
        if name in metafunc.fixturenames and not any(name in names for names in chosen):
            metafunc.parametrize(name, KINDS, indirect=True)


def _kind(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyDatabase]:
    """A new database with all tables: SQLite's, unless the test is marked for both."""
    if _kind(request) == "sqlite":
        yield SqliteFile.with_tables(tmp_path)
        return
    server: Server = request.getfixturevalue("server")
    with (
        server.copy_of(request.getfixturevalue("template")) as url,
        closing(PostgresDatabase(tmp_path, url)) as database,
    ):
        yield database


@pytest.fixture
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyDatabase]:
    """A new database without tables."""
    if _kind(request) == "sqlite":
        yield SqliteFile(tmp_path)
        return
    server: Server = request.getfixturevalue("server")
    with server.database() as url, closing(PostgresDatabase(tmp_path, url)) as database:
        yield database
