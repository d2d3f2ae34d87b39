"""The bots of the crash tests, each a fork on its own port."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import aiohttp

from sandbox.bot_process import ROOT
from tests.commands import Fork, command_server
from tests.databases import AnyDatabase

READY_TIMEOUT = 20.0


class Forks:
    """Starts bots on one database, all with the same settings and the same log."""

    def __init__(self, environment: Mapping[str, str], database: AnyDatabase) -> None:
        self._environment = {
            "PYTHONPATH": str(ROOT),
            "PATH": os.environ.get("PATH", ""),
            **environment,
            "DATABASE_URL": database.url,
            "HOST": "127.0.0.1",
        }
        self.database = database
        self.log = database.directory / "bot.log"
        self._running: dict[int, Fork] = {}

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def start(self, port: int, **reports: int) -> int:
        """Start a bot that listens on `port`; its process id. `reports`: see reports.py."""
        fork = await command_server().start(
            self.database.directory,
            ["run"],
            {**self._environment, "PORT": str(port)},
            self.log,
            self.log,
            crash_test=reports,
        )
        self._running[fork.pid] = fork
        return fork.pid

    async def ended(self, pid: int) -> None:
        """Wait for the end of a bot that was killed."""
        await self._running.pop(pid).wait()

    async def close(self) -> None:
        """Kill those that are still running."""
        for fork in self._running.values():
            with suppress(ProcessLookupError):
                fork.kill()
            await fork.wait()

    async def ready(self, port: int, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Wait until the bot on `port` is ready, or until `cancelled`."""
        deadline = time.monotonic() + READY_TIMEOUT
        async with aiohttp.ClientSession() as session:
            while not cancelled() and not await _is_ready(session, port):
                assert time.monotonic() < deadline, f"not ready\n{self.log_text()[-3000:]}"
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running_forks(
    environment: Mapping[str, str], database: AnyDatabase
) -> AsyncIterator[Forks]:
    """Have bots forked; those still running at the end are killed."""
    forks = Forks(environment, database)
    try:
        yield forks
    finally:
        await forks.close()


def events_url(port: int) -> str:
    """Where Slack delivers to the bot on `port`."""
    return f"http://127.0.0.1:{port}/slack/events"


async def _is_ready(session: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
