"""The database engine and its transactions: SQLite (WAL) or PostgreSQL, chosen by the URL."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool
from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import Unavailable
from storage import sqlite
from storage.audit.head_log import log_head
from storage.audit.seals import Seals
from storage.cache import OnboardingCache
from storage.database_errors import reason
from storage.tables import GuideRow
from storage.time_limits import CONNECTING, TIMEOUT_SECONDS
from storage.unreadable_rows import UnreadableRows

log = logging.getLogger(__name__)

# A person at a terminal can wait longer for a connection than one of Slack's requests.
COMMAND_CONNECT_SECONDS = 10
# How many of PostgreSQL's 15 connections (SQLAlchemy's pool) background work may use at once.
BACKGROUND_CONNECTIONS = 4
# PostgreSQL rolled the transaction back because of a concurrent one; a retry may succeed.
COLLISIONS = {"40001", "40P01"}  # serialization_failure, deadlock_detected
# A reader sees one snapshot, as on SQLite; a writer locks the rows it decides about.
READ_ONLY = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Conflict(Exception):
    """A unique constraint was violated."""


class Collision(Unavailable):
    """The database rolled this transaction back because of a concurrent one."""


async def _no_wait() -> None:
    pass


class Database:
    """Transactions on one database."""

    def __init__(
        self,
        url: str,
        seals: Seals,
        wait_for_room: Callable[[], Awaitable[None]] = _no_wait,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take a `sqlite:///…` or `postgresql://…` URL; nothing is connected yet.

        `seals` sign the history. `wait_for_room` returns when there is room for background work.
        `clock` decides about leases on SQLite (storage/leases.py). `has_residue` is set when a
        value was replaced or deleted and its old ciphertext has to be removed.
        """
        self.url, self.has_residue = url, asyncio.Event()
        self.cache, self.unreadable = OnboardingCache(), UnreadableRows()
        self._engine, self._seals = _engine(url), seals
        self._sqlite_writers = asyncio.Lock()  # SQLite allows one writer at a time
        self._wait_for_room, self._clock = wait_for_room, clock
        self._background = asyncio.Semaphore(1 if is_sqlite(url) else BACKGROUND_CONNECTIONS)

    @asynccontextmanager
    async def begin(
        self, *, write: bool = True, background: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """Yield a session in a transaction: committed at the end, rolled back on an exception.

        Without `write` it may only read, and sees the snapshot of its first query. With
        `background` it first makes room for transactions that a person is waiting for.

        Raises Unavailable if the database cannot be reached or stays locked, Collision if the
        transaction is worth retrying at once, and Conflict if a unique constraint is violated.
        """
        try:
            async with (
                self._background_slot() if background else nullcontext(),
                self._transaction(write=write) as session,
                _committed(session),
            ):
                yield session
            for onboarding in session.info["learned"]:
                self.cache.put(onboarding)
            for head in session.info["heads"]:
                log_head(*head)
            if session.info["left_residue"]:
                self.has_residue.set()
        except IntegrityError as error:
            raise Conflict from error
        except (DBAPIError, PoolTimeoutError, OSError) as error:  # TimeoutError among them
            if getattr(getattr(error, "orig", None), "sqlstate", None) in COLLISIONS:
                raise Collision("others write the same just now") from error
            raise Unavailable(f"the database isn't responding: {reason(error)}") from error

    @asynccontextmanager
    async def pause_sqlite_writers(self) -> AsyncIterator[None]:
        """Keep this process's other writers on SQLite waiting while the block runs."""
        async with self._background_slot(), self._sqlite_writers:
            yield

    @asynccontextmanager
    async def _background_slot(self) -> AsyncIterator[None]:
        async with self._background:
            await asyncio.sleep(0)  # SQLite is called without ever giving way to other tasks
            await self._wait_for_room()
            yield

    @asynccontextmanager
    async def _transaction(self, *, write: bool) -> AsyncIterator[AsyncSession]:
        info = {
            "seals": self._seals,
            "cache": self.cache,
            "learned": [],
            "unreadable": self.unreadable,
            "left_residue": False,
            "heads": [],
            "clock": self._clock,
        }
        async with AsyncExitStack() as stack:
            session = AsyncSession(self._engine, expire_on_commit=False, info=info)
            await stack.enter_async_context(session)
            if self._engine.dialect.name != "sqlite":
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    await session.connection(execution_options={} if write else READ_ONLY)
            else:
                if write:
                    async with asyncio.timeout(TIMEOUT_SECONDS):
                        await stack.enter_async_context(self._sqlite_writers)
                await sqlite.begin(session, write=write, patience=TIMEOUT_SECONDS)
            yield session

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Yield whether this is SQLite and no other process uses the file; holds a lock on it."""
        if self._engine.dialect.name != "sqlite":
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
        """Close all connections."""
        await self._engine.dispose()


@asynccontextmanager
async def _committed(session: AsyncSession) -> AsyncIterator[None]:
    try:
        yield
        await session.commit()
    except BaseException:
        await session.rollback()
        raise


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
    """Whether `url` names a SQLite file."""
    return make_url(url).get_backend_name() == "sqlite"


def _with_driver(url: str, *, sqlite: str, postgresql: str) -> str:
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    driver = sqlite if parsed.get_backend_name() == "sqlite" else postgresql
    return parsed.set(drivername=driver).render_as_string(hide_password=False)


def _engine(url: str) -> AsyncEngine:
    async_url = _with_driver(url, sqlite="sqlite+aiosqlite", postgresql="postgresql+psycopg")
    if is_sqlite(async_url):
        return sqlite.engine(async_url)

    from storage import postgresql  # psycopg costs memory and time that SQLite needn't spend

    return postgresql.engine(async_url)
