"""Several workers on one database; occasionally one is killed and replaced."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.bot_process import free_port
from sandbox.slack import SlackSandbox
from tests.crash.forks import Forks, events_url, running_forks
from tests.databases import AnyDatabase


@dataclass
class Worker:
    """One bot process."""

    port: int
    pid: int = 0
    is_up: bool = False


class Fleet:
    """The bot as people experience it: requests go to random workers, even to dead ones.

    As with a load balancer without health checks, a killed worker keeps getting requests until it
    is replaced.
    """

    patience = 1.5

    def __init__(self, forks: Forks, size: int, seed: int) -> None:
        self._forks, self._random = forks, random.Random(seed)  # noqa: S311
        self.workers = [Worker(free_port()) for _ in range(size)]
        self.database, self.log_text = forks.database, forks.log_text
        self.crashes = 0
        self._calls = 0
        self._kill_after: list[int] = []  # numbers of posts and edits
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    @property
    def is_up(self) -> bool:
        """Whether any worker is up; raises if a replacement failed to start."""
        if self._failure:
            raise self._failure
        return any(worker.is_up for worker in self.workers)

    async def wait_a_moment(self) -> None:
        """Let some time pass."""
        await asyncio.sleep(0.05)

    def any_url(self) -> str:
        """Where the next request goes."""
        return events_url(self._random.choice(self.workers).port)

    def schedule_kills(self, times: int, between: tuple[int, int], after: int) -> None:
        """Kill a worker `times` times: the first `after` that many posts and edits.

        `between` is the range of posts and edits between two kills. A dead worker's claims on pins
        and bookmarks last half a minute, longer than people here take: those come before.
        """
        at = after
        for _ in range(times):
            at += self._random.randint(*between)
            self._kill_after.append(at)

    async def gate(self, moment: str, method: str, _arguments: Mapping[str, Any]) -> bool:
        """Guard the fake Slack: count its calls, and kill a worker when one is due."""
        self._calls += (moment, method[:5]) == ("arrived", "chat.")
        all_up = all(worker.is_up for worker in self.workers)
        if self._kill_after and self._calls >= self._kill_after[0] and all_up:
            self._kill_after.pop(0)
            self.kill(self._random.choice(self.workers))
        return True

    def kill(self, worker: Worker, *, replaced: bool = True) -> None:
        """Kill a worker; unless told otherwise, start another in its place."""
        os.kill(worker.pid, signal.SIGKILL)
        worker.is_up = False
        self.crashes += 1
        if not replaced:
            return
        task = asyncio.create_task(self._replace(worker))
        self._tasks.add(task)
        task.add_done_callback(self._replaced)

    def _replaced(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._failure = self._failure or task.exception()

    async def _replace(self, worker: Worker) -> None:
        await self._forks.ended(worker.pid)
        await self.start(worker)

    async def start(self, worker: Worker) -> None:
        """Start a worker."""
        worker.pid = await self._forks.start(worker.port)
        await self._forks.ready(worker.port)
        worker.is_up = True

    async def close(self) -> None:
        """Kill them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in self.workers:
            if worker.is_up:
                os.kill(worker.pid, signal.SIGKILL)


@asynccontextmanager
async def running_fleet(
    slack: SlackSandbox,
    environment: Mapping[str, str],
    database: AnyDatabase,
    size: int,
    seed: int,
) -> AsyncIterator[Fleet]:
    """Run `size` workers; each HTTP request goes to a random one."""
    async with running_forks(environment, database) as forks:
        fleet = Fleet(forks, size, seed)
        slack.guard(fleet.gate)
        slack.deliver_to(fleet.any_url)
        try:
            await asyncio.gather(*(fleet.start(worker) for worker in fleet.workers))
            yield fleet
        finally:
            await fleet.close()
