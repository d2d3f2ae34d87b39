"""The engine: SQLite (WAL) or PostgreSQL by the URL, transactions, and errors at the border."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool
from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import Unavailable
from storage import postgresql, sqlite
from storage.audit import heads
from storage.audit.seals import Seals
from storage.cache import Known
from storage.database_errors import reason
from storage.postgresql import CONNECTING, PATIENCE_SECONDS
from storage.tables import GuideRow
from storage.unreadable_rows import UnreadableRows

log = logging.getLogger(__name__)

# Who types a command waits a little longer than a request of Slack's does.
SYNC_SECONDS = 10
# Of PostgreSQL's 15 connections (SQLAlchemy's pool), for what nobody waits for.
BEHIND_AT_ONCE = 4
# PostgreSQL undid a transaction as another one stood in its way: it may succeed if done again.
COLLISIONS = {"40001", "40P01"}  # serialization_failure, deadlock_detected
# A reader sees one moment, as on SQLite; a writer locks what it decides about.
READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Conflict(Exception):
    """A uniqueness rule of the database was violated."""


class Collision(Unavailable):
    """Two transactions stood in each other's way, and the database undid this one."""


async def _at_once() -> None:
    pass


class Database:
    """Transactions on one database."""

    def __init__(
        self,
        url: str,
        seals: Seals,
        gap: Callable[[], Awaitable[None]] = _at_once,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take a `sqlite:///…` or `postgresql://…` URL; nothing is connected yet.

        The sessions bear the `seals`, which the history is written with, what is `known`, and what
        is `unreadable`.
        `gap` returns when there is room for what nobody waits for. `clock` decides about leases on
        SQLite (storage/leases.py). `residue` is set when values were replaced or deleted, so that
        their old ciphertexts are to be cleared up.
        """
        self.url, self.residue = url, asyncio.Event()
        self._engine, self._seals, self.known = _engine(url), seals, Known()
        self.unreadable = UnreadableRows()
        self._turns = asyncio.Lock()  # of SQLite's writers, as only one may write
        self._gap, self._clock = gap, clock
        self._behind = asyncio.Semaphore(1 if is_sqlite(url) else BEHIND_AT_ONCE)

    @asynccontextmanager
    async def begin(
        self, *, write: bool = True, behind: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """Give a session in a transaction: committed at the end, rolled back by an exception.

        Without `write` it may only read, and sees what was there at its first query. What goes on
        `behind` an acknowledgement leaves room for those that somebody waits for. Raises
        Unavailable if the database cannot be reached or stays locked, Collision if it is worth to
        be tried again at once, and Conflict if a uniqueness rule is violated.
        """
        try:
            async with (
                self._place_behind() if behind else nullcontext(),
                self._begun(write=write) as session,
                _committed(session),
            ):
                yield session
            for onboarding in session.info["learned"]:
                self.known.learn(onboarding)
            for head in session.info["heads"]:
                heads.note(*head)
            if session.info["left_residue"]:
                self.residue.set()
        except IntegrityError as error:
            raise Conflict from error
        except (DBAPIError, PoolTimeoutError, OSError) as error:  # TimeoutError among them
            if getattr(getattr(error, "orig", None), "sqlstate", None) in COLLISIONS:
                raise Collision("others write the same just now") from error
            raise Unavailable(f"the database isn't responding: {reason(error)}") from error

    @asynccontextmanager
    async def turn_behind(self) -> AsyncIterator[None]:
        """Keep other writers on SQLite waiting, behind the acknowledgements."""
        async with self._place_behind(), self._turns:
            yield

    @asynccontextmanager
    async def _place_behind(self) -> AsyncIterator[None]:
        async with self._behind:
            await self._gap()
            yield

    @asynccontextmanager
    async def _begun(self, *, write: bool) -> AsyncIterator[AsyncSession]:
        info = {
            "seals": self._seals,
            "known": self.known,
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
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await session.connection(execution_options={} if write else READING)
            else:
                if write:
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await stack.enter_async_context(self._turns)
                await sqlite.begin(session, write=write, patience=PATIENCE_SECONDS)
            yield session

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether it is SQLite's, and no other process runs on it for as long as the block does."""
        if self._engine.dialect.name != "sqlite":
            yield False
            return
        with sqlite.alone(self._engine.url.database or "") as is_alone:
            if not is_alone:
                log.warning("another process runs on this database: that needs PostgreSQL")
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
    """Return `url` with the driver that migrations use."""
    return _with_driver(url, sqlite="sqlite", postgresql="postgresql+psycopg")


def sync_engine(url: str) -> Engine:
    """Return an engine for what runs without an event loop; its connections aren't kept."""
    connecting = {} if is_sqlite(url) else {**CONNECTING, "connect_timeout": SYNC_SECONDS}
    return create_engine(
        sync_url(url), hide_parameters=True, poolclass=NullPool, connect_args=connecting
    )


def clock_of(url: str) -> datetime | None:
    """Return the time of PostgreSQL's machine; None for SQLite, which has no other than ours."""
    if is_sqlite(url):
        return None
    with sync_engine(url).connect() as connection:
        at: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return at


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
    return postgresql.engine(async_url)
