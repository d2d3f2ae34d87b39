"""Background tasks with an owner: referenced, their errors logged, awaited at shutdown."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bot.core.deadline import detached_task
from bot.core.errors import Unavailable

log = logging.getLogger(__name__)


class BackgroundTasks:
    """Tasks that outlive the request that started them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Run `work` in the background, named in the log; does nothing after `close`."""
        if self._closed:
            work.close()
            return
        self.adopt(detached_task(work, name))

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Take ownership of a task that is already running."""
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def close(self, seconds: float) -> None:
        """Wait `seconds` for the tasks, then cancel them; the next start resumes their work."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        name, error = task.get_name(), None if task.cancelled() else task.exception()
        if isinstance(error, Unavailable):  # the sweep will resume it
            extra = {"task": name, "reason": str(error)}
            log.warning("a background task was interrupted", extra=extra)
        elif error:
            log.error("a background task failed", exc_info=error, extra={"task": name})
