"""The database engine and its transactions: SQLite (WAL) or PostgreSQL, chosen by the URL."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool
from sqlmodel import func, select

from bot.core.errors import Unavailable
from storage import sqlite
from storage.audit.seals import Seals
from storage.cache import OnboardingCache
from storage.database_errors import reason
from storage.guides import GuideStore
from storage.session import Session, Transaction
from storage.tables import GuideRow
from storage.time_limits import CONNECTING, TIMEOUT_SECONDS
from storage.unreadable_rows import UnreadableRows

log = logging.getLogger(__name__)

# A person at a terminal can wait longer for a connection than one of Slack's requests.
COMMAND_CONNECT_SECONDS = 10
# How many of PostgreSQL's 15 connections (SQLAlchemy's pool) background work may use at once.
BACKGROUND_CONNECTIONS = 4
# How many of them stay open when idle; the server may close them at any time.
POOLED_CONNECTIONS = 5
# PostgreSQL rolled the transaction back because of a concurrent one; a retry may succeed.
COLLISIONS = {"40001", "40P01"}  # serialization_failure, deadlock_detected


class Conflict(Exception):
    """A unique constraint was violated."""


class Collision(Unavailable):
    """The database rolled this transaction back because of a concurrent one."""


class Database:
    """Transactions on one database."""

    def __init__(
        self,
        url: str,
        seals: Seals,
        guides: GuideStore | None = None,
        wait_for_room: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take a `sqlite:///…` or `postgresql://…` URL; doesn't connect yet.

        `seals` sign the history. Without `guides`, only those saved in the database are known.
        `wait_for_room` returns when there is room for background work. `clock` is what leases on
        SQLite use (storage/leases.py). `has_residue` is set when a value was replaced or deleted,
        so that its old ciphertext gets removed.
        """
        self.url, self.has_residue = url, asyncio.Event()
        self.seals, self.guides = seals, guides or GuideStore()
        self.cache, self.unreadable = OnboardingCache(), UnreadableRows()
        self._engine, self._new_transaction = _engine(url, clock)
        self._driver = self._engine.dialect.loaded_dbapi
        self._sqlite_writers = asyncio.Lock()  # SQLite allows one writer at a time
        self._wait_for_room = wait_for_room
        self._is_sqlite = is_sqlite(url)
        self._background = asyncio.Semaphore(1 if self._is_sqlite else BACKGROUND_CONNECTIONS)

    @asynccontextmanager
    async def begin(
        self, *, write: bool = True, background: bool = False
    ) -> AsyncIterator[Session]:
        """Yield a session in a transaction: committed at the end, rolled back on an exception.

        Without `write` it may only read, and sees the snapshot of its first query. With
        `background` it first makes room for transactions that a person is waiting for.

        Raises Unavailable if the database cannot be reached or stays locked, Collision if the
        transaction is worth retrying immediately, and Conflict if a unique constraint is violated.
        """
        try:
            async with self._turn(write=write, background=background):
                connection, transaction = await self._connect(write=write)
                try:
                    session = Session(connection, transaction, self)
                    yield session
                    if session.in_transaction():  # the ORM was used
                        await session.flush()
                    await transaction.commit()
                finally:
                    await connection.close()  # which rolls back what was not committed
        except (IntegrityError, self._driver.IntegrityError) as error:
            raise Conflict from error
        except (DBAPIError, self._driver.Error, PoolTimeoutError, OSError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if getattr(cause, "sqlstate", None) in COLLISIONS:
                raise Collision("others write the same just now") from error
            raise Unavailable(f"the database isn't responding: {reason(error)}") from error
        for call in session.on_commit:
            call()

    @asynccontextmanager
    async def pause_sqlite_writers(self) -> AsyncIterator[None]:
        """Keep this process's other writers on SQLite waiting while the block runs."""
        async with self._turn(write=False, background=True), self._sqlite_writers:
            yield

    @asynccontextmanager
    async def _turn(self, *, write: bool, background: bool) -> AsyncIterator[None]:
        """Wait until a transaction may begin: SQLite has one writer, and background work waits."""
        if background or not write:
            await asyncio.sleep(0)  # calls to SQLite never yield to other tasks
        async with AsyncExitStack() as stack:
            if background:
                await stack.enter_async_context(self._background)
                await self._wait_for_room()
            if write and self._is_sqlite:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    await stack.enter_async_context(self._sqlite_writers)
            yield

    async def _connect(self, *, write: bool) -> tuple[AsyncConnection, Transaction]:
        """Begin a transaction on a connection of the pool.

        If the server has closed that connection since it was last used, take the next one.
        """
        async with asyncio.timeout(None if self._is_sqlite else TIMEOUT_SECONDS):
            for _ in range(POOLED_CONNECTIONS + 1):
                connection = await self._engine.connect()
                assert connection.sync_connection  # noqa: S101 (for the type checker)
                raw = connection.sync_connection.connection.driver_connection
                transaction = self._new_transaction(raw)
                try:
                    await transaction.begin(write=write)
                except BaseException as error:
                    if transaction.is_closed:
                        await connection.invalidate()
                    await connection.close()
                    if not transaction.is_closed or not isinstance(error, self._driver.Error):
                        raise
                else:
                    return connection, transaction
        raise Unavailable("the database closes every connection")

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Yield whether this is SQLite and no other process uses the file; locks it meanwhile."""
        if not self._is_sqlite:
            yield False
            return
        with sqlite.alone(self._engine.url.database or "") as is_alone:
            if not is_alone:
                log.warning("another process uses this database; running several needs PostgreSQL")
            yield is_alone

    async def ping(self) -> None:
        """Read one row of a small table; raises Unavailable as `begin` does."""
        async with self.begin(write=False) as session:
            await session.exec(select(GuideRow.id).limit(1))

    async def close(self) -> None:
        await self._engine.dispose()


def sync_url(url: str) -> str:
    """Return `url` with the synchronous driver, which migrations use."""
    return _with_driver(url, sqlite="sqlite", postgresql="postgresql+psycopg")


def sync_engine(url: str) -> Engine:
    """Return an engine for code without an event loop; it does not pool connections."""
    connecting = (
        {} if is_sqlite(url) else {**CONNECTING, "connect_timeout": COMMAND_CONNECT_SECONDS}
    )
    return create_engine(
        sync_url(url), hide_parameters=True, poolclass=NullPool, connect_args=connecting
    )


def clock_of(url: str) -> datetime | None:
    """Return the PostgreSQL server's time; None for SQLite, which uses this machine's clock."""
    if is_sqlite(url):
        return None
    with sync_engine(url).connect() as connection:
        at: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return at


def other_connections(url: str) -> int:
    """Return how many other connections to this PostgreSQL database our user has."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND usename = current_user AND pid <> pg_backend_pid()"
    )
    with sync_engine(url).connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _with_driver(url: str, *, sqlite: str, postgresql: str) -> str:
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    driver = sqlite if parsed.get_backend_name() == "sqlite" else postgresql
    return parsed.set(drivername=driver).render_as_string(hide_password=False)


def _engine(
    url: str, clock: Callable[[], datetime]
) -> tuple[AsyncEngine, Callable[[Any], Transaction]]:
    async_url = _with_driver(url, sqlite="sqlite+inline", postgresql="postgresql+psycopg")
    if is_sqlite(async_url):
        committer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        return sqlite.engine(async_url, clock), partial(sqlite.Transaction, committer)

    from storage import postgresql  # psycopg costs memory and time that SQLite needn't spend

    return postgresql.engine(async_url), postgresql.Transaction
