"""PostgreSQL, directly or behind PgBouncer, with time limits on everything."""

import asyncio
from typing import Any

import psycopg
from psycopg import waiting
from psycopg.abc import RV, PQGen
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage.time_limits import CONNECTING, TIMEOUT_SECONDS

INTERVAL_SECONDS = 0.1  # psycopg's own
# A worker that is frozen in a transaction loses its locks and its connection.
IDLE_SECONDS = 5


def engine(url: str) -> AsyncEngine:
    """Return an engine for a `postgresql+psycopg://…` URL."""
    made = create_async_engine(
        url,
        hide_parameters=True,  # see sqlite.py
        pool_pre_ping=True,
        pool_timeout=TIMEOUT_SECONDS,
        connect_args={"async_creator_fn": TimedConnection.connect, **CONNECTING},
    )
    # Each transaction sets its own timeouts, as PgBouncer keeps no session settings. Two statements
    # in one message cost one round trip.
    limits = (
        f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'; "
        f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
    )

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(limits)

    event.listen(made.sync_engine, "begin", limit)
    return made


class TimedConnection(psycopg.AsyncConnection[Any]):
    """A connection that is closed when an answer is overdue, or when the caller is cancelled.

    The server cancels slow statements itself. If it is frozen, or the network drops packets,
    psycopg would wait forever, or ask that same server to cancel.
    """

    max_wait_seconds = 2.5  # longer than the server's limit, after which the connection is reusable

    async def wait(self, gen: PQGen[RV], *_how_long: float | None, **_named: float | None) -> RV:
        """Wait for an answer; raises OperationalError if none comes in time."""
        try:
            async with asyncio.timeout(self.max_wait_seconds):
                return await waiting.wait_async(gen, self.pgconn.socket, INTERVAL_SECONDS)
        except TimeoutError:
            self.pgconn.finish()
            raise psycopg.OperationalError("the server does not answer") from None
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise
