"""PostgreSQL, directly or behind PgBouncer, with time limits on everything."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import psycopg
from psycopg import waiting
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage.time_limits import CONNECTING, TIMEOUT_SECONDS

INTERVAL_SECONDS = 0.1  # psycopg's own
# A worker that is frozen in a transaction loses its locks and its connection.
IDLE_SECONDS = 5


# PgBouncer keeps no session settings, so each transaction sets its own timeouts. Statements in one
# message cost one round trip.
LIMITS = (
    f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
)
BEGIN = f"BEGIN; {LIMITS}"
# A reader sees one snapshot, as on SQLite; a writer locks the rows it decides about.
READ_ONLY = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {LIMITS}"


def engine(url: str) -> AsyncEngine:
    """Return an engine for a `postgresql+psycopg://…` URL."""
    # `autocommit`: our `Transaction` begins and commits itself.
    how = {"async_creator_fn": TimedConnection.connect, "autocommit": True, **CONNECTING}
    return create_async_engine(
        url,
        hide_parameters=True,  # see sqlite.py
        pool_timeout=TIMEOUT_SECONDS,
        connect_args=how,
    )


# UNKNOWN: the connection is closed, and the next one to use it will find out.
NOTHING_BEGUN = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)


class TimedConnection(psycopg.AsyncConnection[Any]):
    """A connection that closes when an answer is overdue, or when the caller is cancelled.

    The server cancels slow statements itself. If it is frozen, or the network drops packets,
    psycopg would wait forever, or ask that same server to cancel.
    """

    max_wait_seconds = 2.5  # after the server's own limit, so that it can still be reused

    async def wait(self, gen: PQGen[RV], *_how_long: float | None, **_named: float | None) -> RV:
        """Wait for an answer; raises OperationalError if it takes too long."""
        try:
            async with asyncio.timeout(self.max_wait_seconds):
                return await waiting.wait_async(gen, self.pgconn.socket, INTERVAL_SECONDS)
        except TimeoutError:
            self.pgconn.finish()
            raise psycopg.OperationalError("the server does not answer") from None
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise

    async def rollback(self) -> None:
        """Roll back, if there is anything: SQLAlchemy's pool calls this after each use."""
        if self.pgconn.transaction_status not in NOTHING_BEGUN:
            await super().rollback()


@dataclass(slots=True)
class Transaction:
    """A transaction on a connection of `engine`; like the one in sqlite.py."""

    dialect: ClassVar[Dialect] = PGDialectAsync_psycopg()  # type: ignore[no-untyped-call]
    connection: TimedConnection

    async def begin(self, *, write: bool) -> None:
        await self.connection.execute(BEGIN if write else READ_ONLY)

    async def execute(self, sql: str, *parameters: Any) -> tuple[Sequence[Any], int]:
        if len(parameters) > 1:
            await self.connection.cursor().executemany(sql, parameters)
            return (), 0
        cursor = await self.connection.execute(sql, *parameters)
        return await cursor.fetchall() if cursor.description else (), cursor.rowcount

    async def commit(self) -> None:
        await self.connection.commit()

    @property
    def is_closed(self) -> bool:
        """Whether the connection was lost, or closed by us."""
        return self.connection.closed
