"""A bot that dies at chosen points, by SIGKILL, and is started again on the same database."""

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
from tests.crash.forks import READY_WITHIN, Zygote, events_url, run_zygote
from tests.databases import AnyDatabase

# What happens whenever a bot starts, whatever the scene.
STARTING = ("starting", "auth.test", "commit of insert guide", "commit of update guide")
PAST = datetime(2000, 1, 1, tzinfo=UTC)


class Points:
    """The points that a run passes, by name; `deadly` says at which of them the bot dies, once."""

    def __init__(self, deadly: Callable[[str], bool]) -> None:
        self._deadly = deadly
        self._count: Counter[str] = Counter()
        self.scene = ""
        self.passed: dict[str, None] = {}  # in their order
        self.died_at: dict[str, None] = {}

    def begin(self, scene: str) -> None:
        """From now on, points belong to `scene`."""
        self.scene = scene
        self._count.clear()

    def again(self) -> None:
        """Count the points of the scene from the beginning: the bot has been started again."""
        self._count.clear()

    def kills(self, moment: str, what: str) -> bool:
        """Whether the bot dies at this point."""
        name = self._name(moment, what)
        self.passed[name] = None
        if name in self.died_at or not self._deadly(name):
            return False
        self.died_at[name] = None
        return True

    def __str__(self) -> str:
        return f"died at {len(self.died_at)} of {len(self.passed)} points"

    def _name(self, moment: str, what: str) -> str:
        if what.startswith(STARTING):
            return f"start: {moment} {what}"
        name = f"{self.scene}: {moment} {what}"
        self._count[name] += 1
        number = self._count[name]
        return name if number == 1 else f"{name}, {number}"


class Mortal:
    """The bot, as often as it is needed."""

    patience = 3.0

    def __init__(self, zygote: Zygote, points: Points) -> None:
        self._zygote, self._points = zygote, points
        self.database = zygote.database
        self._pid = 0
        self._up = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._port = free_port()
        self._reports = 0
        self.deaths = 0
        self.log_text = zygote.log_text

    @property
    def events_url(self) -> str:
        """Where Slack delivers."""
        return events_url(self._port)

    @property
    def is_up(self) -> bool:
        """Whether the bot lives, and says that it is ready; raises if it could not be revived."""
        if self._failure:
            raise self._failure
        return self._up.is_set()

    async def breathe(self) -> None:
        """Let some time pass."""
        await asyncio.sleep(0.005)

    async def gate(self, moment: str, method: str, arguments: dict[str, Any]) -> bool:
        """Guard the pretend Slack: False if the bot died while the call was under way."""
        before = "before" if moment == "arrived" else "after"
        if self._pid and self._points.kills(before, f"{method} {_about(arguments)}".strip()):
            self._kill()
            return False
        return True

    async def _report(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear of one bot's moments; one that dies gets no answer."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                life, pid, moment, what = json.loads(line)
                if life != self.deaths:
                    break
                self._pid = pid
                if self._points.kills(moment, what):
                    self._kill()
                    break
                writer.write(b".")
        writer.close()

    def _kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self.deaths += 1
        dead, self._pid = self._pid, 0
        self._up.clear()
        task = asyncio.create_task(self._revive(dead))
        self._tasks.add(task)
        task.add_done_callback(self._revived)

    def _revived(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._failure = self._failure or task.exception()

    async def _revive(self, dead: int) -> None:
        await self._zygote.ended(dead)
        expire_leases(self.database)
        await self._start()

    async def _start(self) -> None:
        self._points.again()
        life = self.deaths
        self._pid = await self._zygote.start(self._port, reports=self._reports, life=life)
        await self._zygote.ready(self._port, lambda: life != self.deaths)
        if life == self.deaths:
            self._up.set()

    @asynccontextmanager
    async def living(self) -> AsyncIterator["Mortal"]:
        """Let it live during the block; at the end it is killed for good."""
        server = await asyncio.start_server(self._report, "127.0.0.1", 0)
        self._reports = server.sockets[0].getsockname()[1]
        try:
            await self._start()
            async with asyncio.timeout(READY_WITHIN):
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
async def mortal(
    slack: SlackSandbox, environment: Mapping[str, str], database: AnyDatabase, points: Points
) -> AsyncIterator[Mortal]:
    """Run a bot that dies at the `points`."""
    async with run_zygote(environment, database) as zygote:
        bot = Mortal(zygote, points)
        slack.guard(bot.gate)
        async with bot.living():
            slack.deliver_to(bot.events_url)
            yield bot


def expire_leases(database: AnyDatabase) -> None:
    """What the killed bot held is free, as after the seconds that a lease or a claim lasts."""
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
