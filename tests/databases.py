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
from sqlalchemy import make_url

from storage import migrate

# For tests of one of them, and for those that have nothing to do with the database.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


class AnyDatabase(Protocol):
    """A database of a test's own, to be read and changed past the bot.

    Both kinds take `?` for a value, and give and take aware times and JSON as Python's own.
    """

    @property
    def url(self) -> str:
        """What DATABASE_URL is to be."""

    @property
    def directory(self) -> Path:
        """A directory of the test's own."""

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read."""

    def write(self, statement: str, *values: Any) -> None:
        """Change."""

    def locked(self) -> AbstractContextManager[None]:
        """Keep everybody else from writing, while the block runs."""

    def plan(self, query: str, values: Any) -> list[str]:
        """How a query of the bot's, as its driver gets it, will be carried out, a line a part."""

    def content(self) -> bytes:
        """Everything that is kept, in one piece, for a search."""


@dataclass(frozen=True)
class SqliteFile:
    """A file in the test's directory."""

    directory: Path

    @classmethod
    def with_tables(cls, directory: Path) -> Self:
        """Make one in `directory`."""
        made = cls(directory)
        made.path.touch(mode=0o600)
        made.path.write_bytes(_with_tables())
        return made

    @property
    def path(self) -> Path:
        return self.directory / "onboarding.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(self._connect()) as connection:
            return connection.execute(query, [_for_sqlite(one) for one in values]).fetchall()

    def write(self, statement: str, *values: Any) -> None:
        with closing(self._connect()) as connection, connection:
            connection.execute(statement, [_for_sqlite(one) for one in values])

    @contextmanager
    def locked(self) -> Iterator[None]:
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.rollback()

    def plan(self, query: str, values: Any) -> list[str]:
        with closing(self._connect()) as connection:
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

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._connect() as connection:
            return _execute(connection, query, values).fetchall()

    def write(self, statement: str, *values: Any) -> None:
        with self._connect() as connection:
            _execute(connection, statement, values)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._connect() as connection:
            connection.execute("LOCK TABLE onboarding IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()

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
        # Whoever waits here stops the bot as well, which may hold the lock: better to fail.
        return psycopg.connect(self.url, options="-c lock_timeout=5s")


def _execute(
    connection: psycopg.Connection, statement: str, values: tuple[Any, ...]
) -> psycopg.Cursor:
    if not values:  # then `?` and `%` stand for themselves
        return connection.execute(statement.encode())
    return connection.execute(statement.replace("%", "%%").replace("?", "%s").encode(), values)


@dataclass
class Server:
    """A PostgreSQL server on which the tests make their databases."""

    url: str
    _prefix: str = field(default_factory=lambda: f"onboarding_test_{uuid.uuid4().hex[:8]}")
    _count: int = 0

    @contextmanager
    def database(self, *, template: str = "template1") -> Iterator[str]:
        """Make a database like `template`, give its URL, and drop it at the end."""
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template}{self._strategy}")
        try:
            yield make_url(self.url).set(database=name).render_as_string(hide_password=False)
        finally:
            self._do(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Give the name of a template with all tables."""
        with self.database() as url:
            migrate.upgrade(url)
            yield str(make_url(url).database)

    @cached_property
    def _strategy(self) -> str:
        """Copying files costs least with fsync off; before version 15 there is nothing else."""
        with psycopg.connect(self.url) as connection:
            return " STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""

    def _do(self, statement: str) -> None:
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            connection.execute(statement.encode())
