"""Secure deletion: no database file holds a replaced or deleted ciphertext."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from storage import migrate, secure_delete
from storage.audit.seals import Seals
from storage.database import Database
from tests.commands import onboarding
from tests.databases import ON_SQLITE, AnyDatabase, PostgresDatabase, Server, SqliteFile
from tests.integration.test_cli import VALID_SETTINGS
from tests.integration.world import World, running_world
from tests.postgresql import Cluster

TIMEOUT_SECONDS = 20
# https://www.postgresql.org/docs/15/wal-internals.html, and XLogPageHeaderData in its source.
WAL_PAGE_BYTES = 8192
HEADER_BYTES, LONG_HEADER_BYTES, IS_LONG = 24, 40, 0x02
on_both = pytest.mark.parametrize("files", ["sqlite", "postgresql"], indirect=True)
on_postgresql = pytest.mark.parametrize("files", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the cleanup without the pauses that keep it out of the way of other work."""
    for pause in ("DEBOUNCE_SECONDS", "REST_SECONDS", "FIRST_PAUSE_SECONDS"):
        monkeypatch.setattr(secure_delete, pause, 0.02)


class DatabaseFiles:
    """A database's files, to be searched."""

    def __init__(self, database: AnyDatabase, cluster: Cluster | None = None) -> None:
        self.database, self._cluster = database, cluster

    def paths(self) -> list[Path]:
        if self._cluster is None:
            return sorted(self.database.directory.glob("onboarding.db*"))
        data = self._cluster.directory / "data"
        return [path for path in data.rglob("*") if path.is_file() and "pg_wal" not in path.parts]

    def wal(self) -> bytes:
        """PostgreSQL's log without the headers of its pages, which interrupt long records."""
        assert self._cluster
        wal = self._cluster.directory / "data" / "pg_wal"
        segments = [path.read_bytes() for path in sorted(wal.iterdir()) if path.is_file()]
        pages = [
            segment[start : start + WAL_PAGE_BYTES]
            for segment in segments
            for start in range(0, len(segment), WAL_PAGE_BYTES)
        ]
        return b"".join(
            page[LONG_HEADER_BYTES if page[2] & IS_LONG else HEADER_BYTES :] for page in pages
        )

    def flush(self) -> None:
        """Make PostgreSQL write what it holds in memory to its files."""
        if self._cluster:
            with psycopg.connect(self.database.url, autocommit=True) as connection:
                connection.execute("CHECKPOINT")

    def holding(self, ciphertexts: list[bytes]) -> list[str]:
        """The files that contain any of `ciphertexts`."""
        self.flush()
        found = []
        for path in self.paths():
            content = path.read_bytes()
            if any(ciphertext in content for ciphertext in ciphertexts):
                found.append(str(path))
        return found

    async def wait_until_gone(self, ciphertexts: list[bytes]) -> None:
        """Wait until no file holds any of them."""
        for _ in range(TIMEOUT_SECONDS * 5):
            if not (found := self.holding(ciphertexts)):
                return
            await asyncio.sleep(0.2)
        pytest.fail(f"after {TIMEOUT_SECONDS} s still in {found}")


def stored(world: World) -> list[bytes]:
    return [bytes(ciphertext) for (ciphertext,) in world.rows("SELECT ciphertext FROM credential")]


@pytest.fixture
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseFiles]:
    if request.param == "sqlite":
        yield DatabaseFiles(SqliteFile.with_tables(tmp_path))
        return
    cluster: Cluster = request.getfixturevalue("own_cluster")
    with Server(cluster.url).database() as url:
        migrate.upgrade(url)
        with closing(PostgresDatabase(tmp_path, url)) as database:
            yield DatabaseFiles(database, cluster)


@pytest.fixture
async def world(files: DatabaseFiles) -> AsyncIterator[World]:
    """A world with all five values entered."""
    async with running_world(files.database) as world:
        await world.begin()
        await world.walk_to(23)
        yield world


async def replace_secret(world: World) -> list[bytes]:
    """Replace the secret and return its old ciphertext."""
    before = stored(world)
    secret = world.servicetitan.regenerate_secret()
    assert (await world.enter(world.erin, 19, client_secret=secret)).ok
    return [ciphertext for ciphertext in before if ciphertext not in stored(world)]


async def cancel(world: World) -> list[bytes]:
    """Destroy all values by canceling the onboarding."""
    before = stored(world)
    await world.type("cancel")
    assert (await world.submit(world.erin, world.view_of(world.erin), reason="They left")).ok
    return before


async def expire(world: World) -> list[bytes]:
    """Destroy all values by letting them expire."""
    before = stored(world)
    world.write("UPDATE onboarding SET status = 'completed', finished_at = '2020-01-01 00:00:00'")
    await world.bot.sweep()
    return before


async def purge(world: World) -> list[bytes]:
    """Destroy all values with the purge command while the bot is running."""
    before = stored(world)
    world.write("UPDATE onboarding SET status = 'completed', finished_at = '2020-01-01 00:00:00'")
    settings = {**VALID_SETTINGS, "DATABASE_URL": world.settings.database_url}
    ended = await onboarding(world.database.directory, "purge", **settings)
    assert ended.status == 0
    assert "old ciphertexts" not in ended.err
    return before


async def rotate_keys(world: World) -> list[bytes]:
    """Re-encrypt all values with another key."""
    before = stored(world)
    key = "b3Nlc2FtZXNlc2FtZXNlc2FtZXNlc2FtZXNlc2FtZXM="
    settings = {**VALID_SETTINGS, "DATABASE_URL": world.settings.database_url}
    settings["CREDENTIAL_KEYS"] = f"{key},{settings['CREDENTIAL_KEYS']}"
    ended = await onboarding(world.database.directory, "keys", "rotate", **settings)
    assert (ended.status, ended.err) == (0, "")
    return before


DELETIONS = [replace_secret, cancel, expire, purge, rotate_keys]
# The rest use the same statements; the next test cancels on PostgreSQL too.
CASES = [
    *(("sqlite", delete) for delete in DELETIONS),
    *(("postgresql", delete) for delete in (replace_secret, purge, rotate_keys)),
]


@pytest.mark.parametrize(("files", "delete"), CASES, indirect=["files"])
async def test_no_file_holds_an_old_ciphertext(
    world: World, files: DatabaseFiles, delete: Callable[[World], Awaitable[list[bytes]]]
) -> None:
    assert files.holding(stored(world)), "the search misses what is there"

    old = await delete(world)

    assert old
    await files.wait_until_gone(old)
    now = stored(world)
    assert not now or files.holding(now)
    assert world.bot.cleaner.warning() is None


@on_both
@pytest.mark.parametrize("delete", [replace_secret, cancel])
async def test_a_bot_stopped_right_after_a_deletion_leaves_no_old_ciphertext(
    files: DatabaseFiles,
    delete: Callable[[World], Awaitable[list[bytes]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running_world(files.database) as world:
        await world.begin()
        await world.walk_to(23)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while world.bot.database.has_residue.is_set():  # noqa: ASYNC110 (cleared at a start)
                await asyncio.sleep(0.02)
        monkeypatch.setattr(secure_delete, "DEBOUNCE_SECONDS", TIMEOUT_SECONDS)
        old = await delete(world)

    assert files.holding(old) == []


@on_postgresql
async def test_postgresql_statistics_hold_no_old_ciphertext(
    world: World, files: DatabaseFiles
) -> None:
    """PostgreSQL's ANALYZE copies samples of what is in a table."""
    world.write("ANALYZE")

    await files.wait_until_gone(await cancel(world))


@on_postgresql
async def test_postgresql_wal_keeps_old_ciphertexts_as_documented(
    world: World, files: DatabaseFiles
) -> None:
    old = await replace_secret(world)
    await files.wait_until_gone(old)

    assert old[0] in files.wal()


@on_both
async def test_an_open_read_transaction_only_delays_secure_deletion(
    world: World, files: DatabaseFiles
) -> None:
    query = "SELECT count(*) FROM credential"
    if isinstance(files.database, SqliteFile):
        with closing(sqlite3.connect(files.database.path, isolation_level=None)) as reader:
            reader.execute("BEGIN").execute(query).fetchall()
            old = await replace_secret(world)
            await asyncio.sleep(1)
            assert files.holding(old)
    else:
        with psycopg.connect(files.database.url) as reading:
            reading.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reading.execute(query)
            old = await replace_secret(world)
            await asyncio.sleep(1)

    await files.wait_until_gone(old)


@on_both
async def test_values_replaced_during_secure_deletion_are_kept(
    world: World, files: DatabaseFiles
) -> None:
    old = [ciphertext for _ in range(5) for ciphertext in await replace_secret(world)]

    await files.wait_until_gone(old)
    assert len(stored(world)) == 5
    assert (await world.get("/readyz"))[0] == 200


@on_both
async def test_secure_deletion_reports_why_it_is_not_possible(
    world: World, files: DatabaseFiles
) -> None:
    """PostgreSQL requires the table's owner; SQLite, anyone who can write."""
    url = files.database.url
    if isinstance(files.database, PostgresDatabase):
        for statement in (
            "DROP ROLE IF EXISTS guest",
            "CREATE ROLE guest LOGIN",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest",
        ):
            files.database.write(statement)
        url = url.replace("postgres@", "guest@")
    else:
        url = f"sqlite:///{files.database.directory}/nowhere.db"
    database = Database(url, Seals(world.settings.keys))

    problem = await secure_delete.clear(database)
    await database.close()
    if isinstance(files.database, PostgresDatabase):
        files.database.write("DROP OWNED BY guest")

    assert problem
    assert ("InsufficientPrivilege" in problem) == isinstance(files.database, PostgresDatabase)


@ON_SQLITE
async def test_a_table_that_grew_and_shrank_leaves_no_old_ciphertext(database: SqliteFile) -> None:
    """Where SQLite moves a row to another page, `secure_delete` may leave the copy."""
    old = []
    with closing(sqlite3.connect(database.path)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        for number in range(4000):
            value = f"{number:06}".encode() * (5 + number % 20)
            connection.execute(
                "INSERT INTO credential (onboarding_id, field, ciphertext, key_id, mask, "
                "version, submitted_by_user, submitted_by_team, submitted_by_role, submitted_at) "
                "VALUES (?, 'f', ?, 'k', '', 1, 'u', 't', 'r', '2026-01-01 00:00:00')",
                (f"{number * 7919 % 4000:06}", value),
            )
            if number % 3:
                old.append(value)
        connection.execute("DELETE FROM credential WHERE substr(ciphertext, 1, 6) % 3 > 0")
        connection.commit()
    opened = Database(database.url, Seals([b"k" * 32]))

    assert await secure_delete.clear(opened) is None
    await opened.close()

    content = b"".join(path.read_bytes() for path in database.directory.glob("onboarding.db*"))
    assert [ciphertext for ciphertext in old if ciphertext[:24] in content] == []
