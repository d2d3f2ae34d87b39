"""A connection to PostgreSQL that does not wait for a server which stands still."""

import asyncio
from typing import Any

import psycopg
from psycopg import waiting
from psycopg.abc import RV, PQGen

INTERVAL_SECONDS = 0.1  # psycopg's own


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
