"""SQLite in WAL mode, durable, and called without threads except for commits."""

import asyncio
import fcntl
import os
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import URL, Dialect, Pool, event, make_url
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteExecutionContext
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import await_

from storage.time_limits import TIMEOUT_SECONDS

# For short locks, such as on a new file; the event loop is blocked meanwhile.
BUSY_TIMEOUT_MS = 100


class InlineCursor(sqlite3.Cursor):
    async def _async_soft_close(self) -> None:
        """Called by SQLAlchemy's asyncio once the rows are read."""


class InlineContext(SQLiteExecutionContext):
    def create_default_cursor(self) -> Any:
        return self._dbapi_connection.cursor(InlineCursor)

    create_server_side_cursor = create_default_cursor  # it fetches rows incrementally anyway


class InlineDialect(SQLiteDialect_pysqlite):
    """Runs each statement from SQLAlchemy's asyncio where it is awaited, not in a thread.

    On a local file a statement takes microseconds; handing it, its cursor and its rows to a thread
    and back takes many times that (docs/decisions.md).
    """

    driver = "inline"
    is_async = True
    supports_statement_cache = True
    supports_server_side_cursors = True
    execution_ctx_cls = InlineContext

    @classmethod
    def get_pool_class(cls, _url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def do_execute(self, cursor: Any, statement: str, parameters: Any, *_context: Any) -> None:
        await_(_no_wait())  # SQLAlchemy raises if a driver never awaits
        cursor.execute(statement, parameters)

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, *_context: Any) -> None:
        await_(_no_wait())
        cursor.executemany(statement, parameters)


async def _no_wait() -> None:
    pass


registry.register("sqlite.inline", __name__, InlineDialect.__name__)


def file(url: str) -> Path:
    """Return the absolute path of the file that a SQLite URL names."""
    return Path(make_url(url).database or "").absolute()


def uri(url: str) -> str:
    """Return the URI of the file that a SQLite URL names; connecting doesn't create the file."""
    return f"{file(url).as_uri()}?mode=rw"


def engine(url: str, clock: Callable[[], datetime]) -> AsyncEngine:
    """Return an engine for a `sqlite+inline:///…` URL, whose file must exist.

    `clock` decides when leases end (storage/leases.py).
    """
    # Parameters must not reach a log or an exception's text: some are ciphertexts and names.
    made = create_async_engine(
        url,
        hide_parameters=True,
        creator=lambda: sqlite3.connect(uri(url), uri=True, check_same_thread=False),
    )
    event.listen(made.sync_engine, "connect", partial(_prepare, clock))
    return made


@dataclass(slots=True)
class Transaction:
    """A transaction on a connection of `engine`; raises the driver's own errors."""

    dialect: ClassVar[Dialect] = InlineDialect()
    is_closed: ClassVar[bool] = False
    committer: Executor
    connection: sqlite3.Connection
    writes: bool = False

    async def begin(self, *, write: bool) -> None:
        """Begin; retry for a while if another process writes."""
        # A deferred transaction that starts to write fails immediately if another one has written
        # since; an immediate one waits.
        self.writes = write
        sql, loop = "BEGIN IMMEDIATE" if write else "BEGIN", asyncio.get_running_loop()
        give_up_at = loop.time() + TIMEOUT_SECONDS
        while True:
            try:
                self.connection.execute(sql)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or loop.time() > give_up_at:
                    raise
            else:
                return
            await asyncio.sleep(random.uniform(0.005, 0.02))  # noqa: S311 (not a secret)

    async def execute(self, sql: str, *parameters: Any) -> tuple[Sequence[Any], int]:
        """Execute a statement once with each of the parameters.

        Return its rows, and how many it changed; with several parameters, neither is meaningful.
        """
        if len(parameters) > 1:
            self.connection.executemany(sql, parameters)
            return (), 0
        cursor = self.connection.execute(sql, *parameters)
        return cursor.fetchall(), cursor.rowcount

    async def commit(self) -> None:
        if not self.writes:
            self.connection.commit()
            return
        # In a thread, as the disk may take a while, and other tasks can run. Not in the loop's own
        # threads: they are all taken when host names cannot be resolved.
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self.committer, self.connection.commit)
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])  # before anything else is done with the connection
            raise


@contextmanager
def alone(path: str) -> Iterator[bool]:
    """Yield whether no other process uses this file, and lock it while the block runs.

    The system releases the lock when a process ends, however that happens. Where locks do not work
    (some network drives), this is False.
    """
    file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


def _prepare(clock: Callable[[], datetime], connection: Any, _record: Any) -> None:
    def moment(after: float) -> str:
        at = clock().astimezone(UTC) + timedelta(seconds=after)
        return at.strftime("%Y-%m-%d %H:%M:%S.%f")  # as SQLAlchemy writes it

    connection.create_function("moment", 1, moment)
    connection.isolation_level = None  # a `Transaction` begins
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # survive a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # see secure_delete.py
    cursor.execute("PRAGMA temp_store = MEMORY")  # no rows in temporary files
    cursor.close()
