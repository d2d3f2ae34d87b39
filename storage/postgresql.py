"""PostgreSQL as the bot uses it: alone or behind PgBouncer, and never waited for too long."""

import asyncio
from typing import Any

import psycopg
from psycopg import waiting
from psycopg.abc import RV, PQGen
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

INTERVAL_SECONDS = 0.1  # psycopg's own
# Slack waits three seconds for an answer, so people who wait for the database are told sooner.
TIMEOUT_SECONDS = 2
# A worker that stands still with rows in its hands loses them, and its connection.
STANDSTILL_SECONDS = 5
# PgBouncer gives each transaction another connection to the server (pool_mode = transaction), where
# what was prepared before is unknown: https://www.pgbouncer.org/features.html
CONNECTING = {"connect_timeout": TIMEOUT_SECONDS, "prepare_threshold": None}


def engine(url: str) -> AsyncEngine:
    """Return an engine for a `postgresql+psycopg://…` URL."""
    made = create_async_engine(
        url,
        hide_parameters=True,  # see sqlite.py
        pool_pre_ping=True,
        pool_timeout=TIMEOUT_SECONDS,
        connect_args={"async_creator_fn": Impatient.connect, **CONNECTING},
    )
    # Each transaction brings its timeouts, as PgBouncer passes on nothing that belongs to a
    # connection. Two statements in one message cost one round trip.
    limits = (
        f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'; "
        f"SET LOCAL idle_in_transaction_session_timeout = '{STANDSTILL_SECONDS}s'"
    )

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(limits)

    event.listen(made.sync_engine, "begin", limit)
    return made


class Impatient(psycopg.AsyncConnection[Any]):
    """Hangs up when an answer is long overdue, and when nobody waits for it any more.

    A server ends slow statements itself. One that stands still, or a network that swallows what is
    sent, ends nothing: psycopg would wait for ever, and ask that very server to cancel.
    """

    patience_seconds = 2.5  # longer than the server's own, as then the connection can be kept

    async def wait(self, gen: PQGen[RV], *_how_long: float | None, **_named: float | None) -> RV:
        """Wait for an answer; raises OperationalError if none comes."""
        try:
            async with asyncio.timeout(self.patience_seconds):
                return await waiting.wait_async(gen, self.pgconn.socket, INTERVAL_SECONDS)
        except TimeoutError:
            self.pgconn.finish()
            raise psycopg.OperationalError("the server does not answer") from None
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise
