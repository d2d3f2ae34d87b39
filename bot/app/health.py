"""Whether this process can serve, and what else is wrong.

A probe pings the database and never calls Slack. Slower checks run in the background
(`bot.app.health_checks`), and their results are read here from memory.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial

from bot.app.in_flight import InFlight
from bot.app.socket_mode import Socket
from bot.core.errors import Unavailable
from bot.core.metrics import Metrics
from storage.database import Database

log = logging.getLogger(__name__)

# However many probes arrive, the database is pinged at most once in this time.
PING_INTERVAL_SECONDS = 1.0
PING_TIMEOUT_SECONDS = 2.0


class Health:
    def __init__(
        self,
        database: Database,
        socket: Socket | None,
        in_flight: InFlight,
        metrics: Metrics,
        warnings: Mapping[str, Callable[[], str | None]],
    ) -> None:
        """Take the parts that this process can't serve without (`socket` in Socket Mode only).

        `warnings` return what is wrong right now in one line, or None. They are called at each
        probe, so they must answer from memory; metrics count them.
        """
        self._database, self._socket = database, socket
        self._in_flight, self._warnings = in_flight, warnings
        self._answered_at: float | None = None
        self._pinging: asyncio.Task[None] | None = None
        for name in warnings:
            metrics.warnings.labels(name).set_function(partial(self._is_wrong, name))

    @property
    def warnings(self) -> list[str]:
        """One line for each problem that doesn't keep this process from serving."""
        lines = (self._line(name) for name in self._warnings)
        return [line for line in lines if line is not None]

    async def causes(self) -> list[str]:
        """Return why this process cannot serve, a line each; an empty list means ready."""
        if self._in_flight.stopping:
            return ["stopping: send no more requests"]
        found = []
        try:
            await self._ping_database()
        except Unavailable as error:
            found.append(f"database: {error}")
        if self._socket and not self._socket.connected:
            found.append("Slack: Socket Mode is not connected")
        return found

    async def _ping_database(self) -> None:
        """Ping it, unless it has just answered; concurrent probes share one ping."""
        now = asyncio.get_running_loop().time()
        if self._answered_at is not None and now - self._answered_at < PING_INTERVAL_SECONDS:
            return
        if self._pinging is None or self._pinging.done():
            self._pinging = asyncio.create_task(self._ping(), name="ping the database")
        await asyncio.shield(self._pinging)

    async def _ping(self) -> None:
        try:
            async with asyncio.timeout(PING_TIMEOUT_SECONDS):
                await self._database.ping()
        except TimeoutError as error:
            raise Unavailable("the database isn't responding: no answer in time") from error
        self._answered_at = asyncio.get_running_loop().time()

    def _is_wrong(self, name: str) -> bool:
        return self._line(name) is not None

    def _line(self, name: str) -> str | None:
        try:
            text = self._warnings[name]()
        except Exception as error:  # the probe must still be answered
            log.exception("a check failed", extra={"check": name})
            text = f"cannot be checked ({type(error).__name__})"
        return f"{name}: {text}" if text else None
