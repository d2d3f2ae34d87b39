"""The databases that tests run on, a new one for each test: SQLite's file, or PostgreSQL's."""

import json
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol, Self

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from storage import migrate

# Tests run on SQLite, unless SQLite and PostgreSQL could differ in what they cover.
ON_BOTH = pytest.mark.both_databases
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


class AnyDatabase(Protocol):
    """A test's own database, to be read and changed directly.

    Both kinds use `?` for a value, and convert aware datetimes and JSON from and to Python.
    """

    @property
    def url(self) -> str:
        """The value of DATABASE_URL."""

    @property
    def directory(self) -> Path:
        """A directory of the test's own."""

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read."""

    def write(self, statement: str, *values: Any) -> None:
        """Change."""

    def locked(self) -> AbstractContextManager[None]:
        """Keep everybody else from writing until the block ends."""

    def restored(self, *tables: str) -> AbstractContextManager[None]:
        """Restore the rows of these tables when the block ends, for the next case."""

    def plan(self, query: str, values: Any) -> list[str]:
        """The query plan of a query as the bot's driver gets it, line by line."""

    def content(self) -> bytes:
        """Everything that is stored, as bytes to search."""


@dataclass(frozen=True)
class SqliteFile:
    """A file in the test's directory."""

    directory: Path

    @classmethod
    def with_tables(cls, directory: Path) -> Self:
        """Make one in `directory`."""
        database = cls(directory)
        database.path.touch(mode=0o600)
        database.path.write_bytes(_with_tables())
        return database

    @property
    def path(self) -> Path:
        return self.directory / "onboarding.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(self._connect()) as connection:
            return connection.execute(query, [_for_sqlite(value) for value in values]).fetchall()

    def write(self, statement: str, *values: Any) -> None:
        with closing(self._connect()) as connection, connection:
            connection.execute(statement, [_for_sqlite(value) for value in values])

    @contextmanager
    def locked(self) -> Iterator[None]:
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.rollback()

    @contextmanager
    def restored(self, *tables: str) -> Iterator[None]:
        with closing(self._connect()) as connection:
            connection.execute("ATTACH ':memory:' AS backup")
            for table in tables:
                connection.execute(f"CREATE TABLE backup.{table} AS SELECT * FROM main.{table}")  # noqa: S608
            try:
                yield
            finally:
                with connection:
                    for table in tables:
                        connection.execute(f"DELETE FROM main.{table}")  # noqa: S608
                        connection.execute(f"INSERT INTO main.{table} SELECT * FROM backup.{table}")  # noqa: S608

    def plan(self, query: str, values: Any) -> list[str]:
        with closing(self._connect()) as connection:
            connection.create_function("moment", -1, lambda *_: "")  # the bot's own
            lines = connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
        return [str(line[-1]) for line in lines]

    def content(self) -> bytes:
        files = sorted(self.directory.glob(f"{self.path.name}*"))
        return b"".join(path.read_bytes() for path in files)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, detect_types=sqlite3.PARSE_DECLTYPES)


@cache
def _with_tables() -> bytes:
    """Return a file with its tables; the migrations run once for all tests."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "empty.db")
        migrate.upgrade(f"sqlite:///{path}")
        return path.read_bytes()


sqlite3.register_converter("JSON", json.loads)
sqlite3.register_converter(
    "DATETIME", lambda text: datetime.fromisoformat(text.decode()).replace(tzinfo=UTC)
)


def _for_sqlite(value: Any) -> Any:
    """Write a time as the bot does."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value


@dataclass(frozen=True)
class PostgresDatabase:
    """A database on the tests' server."""

    directory: Path
    url: str
    _readers: list[psycopg.Connection] = field(default_factory=list, init=False)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        reader = self._reader()
        try:
            return _execute(reader, query, values).fetchall()
        except psycopg.OperationalError:
            if not reader.closed:
                raise
        return _execute(self._reader(), query, values).fetchall()  # the server was restarted

    def close(self) -> None:
        """Close the connection that the reading left open."""
        for reader in self._readers:
            reader.close()

    def write(self, statement: str, *values: Any) -> None:
        with self._connect() as connection:
            _execute(connection, statement, values)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._connect() as connection:
            connection.execute("LOCK TABLE onboarding IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()

    @contextmanager
    def restored(self, *tables: str) -> Iterator[None]:
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            for table in map(sql.Identifier, tables):
                connection.execute(
                    sql.SQL("CREATE TEMP TABLE {} AS SELECT * FROM public.{}").format(table, table)
                )
            try:
                yield
            finally:
                with connection.transaction():
                    connection.execute("SET LOCAL session_replication_role = replica")
                    for table in map(sql.Identifier, tables):
                        for statement in (
                            "DELETE FROM public.{}",
                            "INSERT INTO public.{} SELECT * FROM pg_temp.{}",
                        ):
                            count = statement.count("{}")
                            connection.execute(sql.SQL(statement).format(*[table] * count))

    def plan(self, query: str, values: Any) -> list[str]:
        with self._connect() as connection:
            connection.execute("ANALYZE")
            return [line for (line,) in connection.execute(f"EXPLAIN {query}".encode(), values)]

    def content(self) -> bytes:
        with self._connect() as connection:
            tables = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            )
            rows = [row for (table,) in tables.fetchall() for row in self._all(table)]
        return b"\n".join(
            value if isinstance(value, bytes) else str(value).encode()
            for row in rows
            for value in row
        )

    def _all(self, table: str) -> list[tuple[Any, ...]]:
        return self.rows(f'SELECT * FROM "{table}"')  # noqa: S608

    def _connect(self) -> psycopg.Connection:
        # Waiting here also stops the bot, which may hold the lock: better to fail.
        return psycopg.connect(self.url, options="-c lock_timeout=30s")

    def _reader(self) -> psycopg.Connection:
        """Return the connection to read with: opening one takes longer than most queries."""
        if not self._readers or self._readers[-1].closed:
            reader = self._connect()
            reader.autocommit, reader.prepare_threshold = True, None  # tables may be altered
            self._readers.append(reader)
        return self._readers[-1]


def _execute(
    connection: psycopg.Connection, statement: str, values: tuple[Any, ...]
) -> psycopg.Cursor:
    if not values:  # then `?` and `%` are literal
        return connection.execute(statement.encode())
    return connection.execute(statement.replace("%", "%%").replace("?", "%s").encode(), values)


# What a test may have changed besides rows: tables, indexes, triggers, functions, settings.
SCHEMA_STATE = """
SELECT array_agg(id ORDER BY id) FROM (
    SELECT oid::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT oid::text FROM pg_trigger
    UNION ALL SELECT oid::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT array_to_string(setconfig, ',') FROM pg_db_role_setting
    UNION ALL SELECT version_num FROM alembic_version
) AS everything (id)
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
RESET_SEQUENCES = "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
# Deleted rows leave pages behind that affect query plans, measurements, and searches.
MAX_REUSED_BYTES = 2 * 1024 * 1024
TOTAL_BYTES = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""
DISCONNECT_OTHERS = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass
class Server:
    """A PostgreSQL server on which the tests make their databases."""

    url: str
    _prefix: str = field(default_factory=lambda: f"onboarding_test_{uuid.uuid4().hex[:8]}")
    _count: int = 0
    _reusable: list[str] = field(default_factory=list)
    _schemas: dict[str, Any] = field(default_factory=dict)  # as made, by the database's name

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make a database without tables, give its URL, and drop it at the end."""
        name = self._create("template1")
        try:
            yield self._url(name)
        finally:
            self._drop(name)

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Give the name of a template with all tables; at the end, drop what was made of it."""
        with self.database() as url:
            migrate.upgrade(url)
            yield str(make_url(url).database)
            for name in self._reusable:
                self._drop(name)

    @contextmanager
    def copy_of(self, template: str) -> Iterator[str]:
        """Give the URL of an empty database with all tables.

        An earlier test's database is emptied and reused, as creating one takes a hundred times
        as long; if that test changed more than rows, its database is dropped instead.
        """
        name = self._reusable.pop() if self._reusable else self._create(template)
        if name not in self._schemas:
            self._schemas[name] = self._schema(name)
        try:
            yield self._url(name)
        finally:
            if self._empty(name, self._schemas[name]):
                self._reusable.append(name)
            else:
                self._drop(name)

    def _schema(self, name: str) -> Any:
        with closing(psycopg.connect(self._url(name))) as connection:
            return connection.execute(SCHEMA_STATE).fetchone()

    def _empty(self, name: str, schema: Any) -> bool:
        """Delete all rows; False if the database is not as it was made."""
        try:
            with closing(psycopg.connect(self._url(name), autocommit=True)) as connection:
                connection.execute(DISCONNECT_OTHERS)
                if connection.execute(SCHEMA_STATE).fetchone() != schema:
                    return False
                [(size,)] = connection.execute(TOTAL_BYTES).fetchall()
                if size > MAX_REUSED_BYTES:
                    return False
                tables = {table for (table,) in connection.execute(TABLES)} - {"alembic_version"}
                quoted = [sql.Identifier(table) for table in sorted(tables)]
                with connection.transaction():
                    connection.execute("SET LOCAL session_replication_role = replica")
                    for table in quoted:  # in any order, as foreign keys are off
                        connection.execute(sql.SQL("DELETE FROM {}").format(table))
                connection.execute(RESET_SEQUENCES)
        except psycopg.Error:
            return False
        return True

    def _create(self, template: str) -> str:
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}{self._strategy}")
        return name

    def _drop(self, name: str) -> None:
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    @cached_property
    def _strategy(self) -> str:
        """Copying files costs least with fsync off; before version 15 there is nothing else."""
        with psycopg.connect(self.url) as connection:
            return " STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""

    def _execute(self, statement: str) -> None:
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            connection.execute(statement.encode())
