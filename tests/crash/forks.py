"""Bots as forks of a zygote, each on its own port."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.bot_process import ROOT
from tests.databases import AnyDatabase

READY_TIMEOUT = 20.0


class Zygote:
    """Starts bots on one database, all with the same settings and the same log."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        environment: Mapping[str, str],
        database: AnyDatabase,
    ) -> None:
        self._process, self._lock = process, asyncio.Lock()
        self._environment = {**environment, "DATABASE_URL": database.url, "HOST": "127.0.0.1"}
        self.database = database
        self.log = database.directory / "bot.log"

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def start(self, port: int, **reports: int) -> int:
        """Fork a bot that listens on `port`; its process id. `reports`: see zygote.py."""
        return await self._send(
            do="start",
            environment={**self._environment, "PORT": str(port)},
            directory=str(self.database.directory),
            log=str(self.log),
            **reports,
        )

    async def ended(self, pid: int) -> None:
        """Wait for the end of a bot that was killed."""
        await self._send(do="wait", pid=pid)

    async def ready(self, port: int, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Wait until the bot on `port` is ready, or until `cancelled`."""
        deadline = time.monotonic() + READY_TIMEOUT
        async with aiohttp.ClientSession() as session:
            while not cancelled() and not await _is_ready(session, port):
                assert time.monotonic() < deadline, f"not ready\n{self.log_text()[-3000:]}"
                await asyncio.sleep(0.02)

    async def _send(self, **order: Any) -> int:
        assert self._process.stdin
        assert self._process.stdout
        async with self._lock:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            return int(await self._process.stdout.readline())


@asynccontextmanager
async def running_zygote(
    environment: Mapping[str, str], database: AnyDatabase
) -> AsyncIterator[Zygote]:
    """Run the zygote; bots still running at the end are killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("zygote.py"))),
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ.get("PATH", ""), "PYTHONUTF8": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Zygote(process, environment, database)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


def events_url(port: int) -> str:
    """Where Slack delivers to the bot on `port`."""
    return f"http://127.0.0.1:{port}/slack/events"


async def _is_ready(session: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
