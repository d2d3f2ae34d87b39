"""Background tasks that somebody owns: kept, their errors logged, awaited at the end."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bot.core.deadline import detached_task
from bot.core.errors import Unavailable

log = logging.getLogger(__name__)


class BackgroundTasks:
    """The tasks that outlive an acknowledgement."""

    def __init__(self) -> None:
        """Begin without any."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` in the background; `name` is for the log. After `close` nothing begins."""
        if self._closed:
            work.close()
            return
        self.adopt(detached_task(work, name))

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Own a task that somebody else began, and that outlives them."""
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def idle(self) -> None:
        """Wait until no task is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, seconds: float) -> None:
        """Give the tasks `seconds` to end, then cancel them: the next start goes on with them."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        extra = {"task": task.get_name()}
        match None if task.cancelled() else task.exception():
            case None:
                return
            case Unavailable() as error:  # the sweep takes it up again
                log.warning("a background task broke off", extra={**extra, "reason": str(error)})
            case error:
                log.error("a background task failed", exc_info=error, extra=extra)
