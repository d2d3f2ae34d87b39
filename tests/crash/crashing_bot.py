"""A bot that is killed by SIGKILL at chosen points, and restarted on the same database."""

import asyncio
import contextlib
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from bot.publishing.pins import BOOKMARK, PIN
from sandbox.bot_process import free_port
from sandbox.slack import SlackSandbox
from tests.crash.forks import READY_TIMEOUT, Forks, events_url, running_forks
from tests.databases import AnyDatabase

# What happens at every start, whatever the scene.
STARTING = ("starting", "auth.test", "commit of insert guide", "commit of update guide")
PAST = datetime(2000, 1, 1, tzinfo=UTC)


class CrashPoints:
    """The named points that a run passes; at those that `should_crash`, the bot dies once."""

    def __init__(self, should_crash: Callable[[str], bool]) -> None:
        self._should_crash = should_crash
        self._count: Counter[str] = Counter()
        self.scene = ""
        self.passed: dict[str, None] = {}  # in order
        self.crashed_at: dict[str, None] = {}

    def begin(self, scene: str) -> None:
        """From now on, points belong to `scene`."""
        self.scene = scene
        self._count.clear()

    def restart_scene(self) -> None:
        """Count the points of the scene from the beginning, as the bot has been restarted."""
        self._count.clear()

    def crashes_at(self, moment: str, what: str) -> bool:
        """Whether the bot dies at this point."""
        name = self._name(moment, what)
        self.passed[name] = None
        if name in self.crashed_at or not self._should_crash(name):
            return False
        self.crashed_at[name] = None
        return True

    def __str__(self) -> str:
        return f"crashed at {len(self.crashed_at)} of {len(self.passed)} points"

    def _name(self, moment: str, what: str) -> str:
        if what.startswith(STARTING):
            return f"start: {moment} {what}"
        name = f"{self.scene}: {moment} {what}"
        self._count[name] += 1
        number = self._count[name]
        return name if number == 1 else f"{name}, {number}"


class CrashingBot:
    """The bot, restarted whenever it has been killed."""

    patience = 3.0

    def __init__(self, forks: Forks, points: CrashPoints) -> None:
        self._forks, self._points = forks, points
        self.database = forks.database
        self._pid = 0
        self._up = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._port = free_port()
        self._reports = 0
        self.crashes = 0
        self.log_text = forks.log_text

    @property
    def events_url(self) -> str:
        """Where Slack delivers."""
        return events_url(self._port)

    @property
    def is_up(self) -> bool:
        """Whether the bot is running and ready; raises if it could not be restarted."""
        if self._failure:
            raise self._failure
        return self._up.is_set()

    async def wait_a_moment(self) -> None:
        """Let some time pass."""
        await asyncio.sleep(0.02)

    async def gate(self, moment: str, method: str, arguments: dict[str, Any]) -> bool:
        """Guard the fake Slack: False if the bot died during the call."""
        before = "before" if moment == "arrived" else "after"
        if self._pid and self._points.crashes_at(before, f"{method} {_about(arguments)}".strip()):
            self._kill()
            return False
        return True

    async def _report(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Receive the reports of one bot; one that is to die gets no answer."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                generation, pid, moment, what = json.loads(line)
                if generation != self.crashes:
                    break
                self._pid = pid
                if self._points.crashes_at(moment, what):
                    self._kill()
                    break
                writer.write(b".")
        writer.close()

    def _kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self.crashes += 1
        killed, self._pid = self._pid, 0
        self._up.clear()
        task = asyncio.create_task(self._restart(killed))
        self._tasks.add(task)
        task.add_done_callback(self._restarted)

    def _restarted(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._failure = self._failure or task.exception()

    async def _restart(self, pid: int) -> None:
        await self._forks.ended(pid)
        expire_leases(self.database)
        await self._start()

    async def _start(self) -> None:
        self._points.restart_scene()
        generation = self.crashes
        self._pid = await self._forks.start(
            self._port, reports_to=self._reports, generation=generation
        )
        await self._forks.ready(self._port, lambda: generation != self.crashes)
        if generation == self.crashes:
            self._up.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["CrashingBot"]:
        """Run the bot until the block ends."""
        server = await asyncio.start_server(self._report, "127.0.0.1", 0)
        self._reports = server.sockets[0].getsockname()[1]
        try:
            await self._start()
            async with asyncio.timeout(READY_TIMEOUT):
                await self._up.wait()
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._pid:
                os.kill(self._pid, signal.SIGKILL)
            server.close()


@asynccontextmanager
async def running_crashing_bot(
    slack: SlackSandbox, environment: Mapping[str, str], database: AnyDatabase, points: CrashPoints
) -> AsyncIterator[CrashingBot]:
    """Run a bot that crashes at the `points`."""
    async with running_forks(environment, database) as forks:
        bot = CrashingBot(forks, points)
        slack.guard(bot.gate)
        async with bot.running():
            slack.deliver_to(bot.events_url)
            yield bot


def expire_leases(database: AnyDatabase) -> None:
    """Free what the killed bot held, as if its leases and claims had expired."""
    database.write("UPDATE onboarding SET lease_until = ?", PAST)
    database.write("UPDATE verification SET run_until = ?", PAST)
    claimed = "ts IS NULL AND posting_since IS NOT NULL AND slot IN (?, ?)"
    database.write(f"UPDATE message SET posting_since = ? WHERE {claimed}", PAST, PIN, BOOKMARK)  # noqa: S608


def _about(arguments: Mapping[str, Any]) -> str:
    """The slot or the modal that a call is about."""
    for name in ("metadata", "view"):
        found = arguments.get(name)
        content = json.loads(found) if isinstance(found, str) else found
        if isinstance(content, dict):
            payload = content.get("event_payload", {})
            return str(payload.get("slot") or content.get("callback_id", ""))
    return ""
