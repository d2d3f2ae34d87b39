"""Whether this process can serve, and what else is wrong.

A probe asks the database one small question and Slack nothing; whatever takes longer is found out
in the background (`bot.app.health_checks`) and read here from memory.
"""

import asyncio
import logging
from collections.abc import Callable

from bot.app.in_flight import InFlight
from bot.app.socket_mode import Socket
from bot.core.errors import Unavailable
from bot.core.metrics import Metrics
from storage.database import Database

log = logging.getLogger(__name__)

# What is wrong right now, in one line; None if nothing is.
Check = Callable[[], str | None]

# However many probes come, the database is asked once in this time.
ASK_EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 2.0


class Health:
    """Answers probes; the other parts of the bot add their warnings."""

    def __init__(
        self,
        database: Database,
        socket: Socket | None,
        in_flight: InFlight,
        metrics: Metrics,
    ) -> None:
        """Take what this process cannot serve without; `socket` in Socket Mode only."""
        self._database, self._socket = database, socket
        self._in_flight, self._metrics = in_flight, metrics
        self._checks: dict[str, Check] = {}
        self._answered_at: float | None = None
        self._asking: asyncio.Task[None] | None = None

    def watch(self, name: str, check: Check) -> None:
        """Show what `check` returns as a warning called `name`, and count it in the metrics.

        It is called for each probe, so it must answer from memory.
        """
        self._checks[name] = check
        self._metrics.watch(name, lambda: _line(name, check) is not None)

    @property
    def warnings(self) -> list[str]:
        """A line for everything that is wrong although this process can serve."""
        lines = (_line(name, check) for name, check in self._checks.items())
        return [line for line in lines if line is not None]

    async def causes(self) -> list[str]:
        """Return why this process cannot serve, a line each; none means that it is ready."""
        if self._in_flight.stopping:
            return ["stopping: send no more requests"]
        found = []
        try:
            await self._ask_database()
        except Unavailable as error:
            found.append(f"database: {error}")
        if self._socket and not self._socket.connected:
            found.append("Slack: Socket Mode is not connected")
        return found

    async def _ask_database(self) -> None:
        """Ask it for a row, unless it has just answered; probes that come together ask once."""
        now = asyncio.get_running_loop().time()
        if self._answered_at is not None and now - self._answered_at < ASK_EVERY_SECONDS:
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._asked(), name="ask the database")
        await asyncio.shield(self._asking)

    async def _asked(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._database.ping()
        except TimeoutError as error:
            raise Unavailable("the database isn't responding: no answer in time") from error
        self._answered_at = asyncio.get_running_loop().time()


def _line(name: str, check: Check) -> str | None:
    try:
        text = check()
    except Exception as error:  # a probe is answered all the same
        log.exception("a check failed", extra={"check": name})
        text = f"cannot be checked ({type(error).__name__})"
    return f"{name}: {text}" if text else None
