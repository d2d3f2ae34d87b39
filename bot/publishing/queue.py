"""The queue of onboardings to publish: awaited ones first, the newest before all; then the backlog.

Only a few are published at a time, because acknowledgements need the database too. Onboardings of
the backlog also wait until the rate limits leave room for them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from bot.core.background import BackgroundTasks
from bot.slack.rate_limits import RateLimits

CONCURRENCY = 8
BACKLOG_CONCURRENCY = 2


class PublishQueue:
    """Runs `publish` for one id after another, never twice at the same time for the same id."""

    def __init__(
        self,
        publish: Callable[[str], Coroutine[Any, Any, None]],
        tasks: BackgroundTasks,
        rate_limits: RateLimits,
    ) -> None:
        self._publish, self._tasks, self._rate_limits = publish, tasks, rate_limits
        self._awaited: dict[str, None] = {}  # the newest last
        self._backlog: deque[str] = deque()
        self._running: dict[str, bool] = {}  # whether it was pushed again meanwhile
        self._running_backlog: set[str] = set()
        self._pausing = False

    def push(self, onboarding_id: str) -> None:
        """Add an id that someone is waiting for; if it is running, it runs once more afterward."""
        if onboarding_id in self._running:
            self._running[onboarding_id] = True
            return
        self._awaited.pop(onboarding_id, None)
        self._awaited[onboarding_id] = None
        self._start_next()

    def set_backlog(self, onboarding_ids: Iterable[str]) -> None:
        self._backlog = deque(onboarding_ids)
        self._start_next()

    def retry(self, onboarding_id: str) -> Callable[[str], None]:
        """Return the function that adds a running id again later, to the queue it came from."""
        return self._push_backlog if onboarding_id in self._running_backlog else self.push

    def _push_backlog(self, onboarding_id: str) -> None:
        self._backlog.appendleft(onboarding_id)
        self._start_next()

    def _start_next(self) -> None:
        while self._awaited and len(self._running) < CONCURRENCY:
            self._start(self._awaited.popitem()[0])
        while self._backlog and self._has_room():
            onboarding_id = self._backlog.popleft()
            if onboarding_id not in self._running:
                self._running_backlog.add(onboarding_id)
                self._start(onboarding_id)

    def _has_room(self) -> bool:
        """Whether the backlog may continue; looks again when the rate limits allow it."""
        if self._awaited or len(self._running_backlog) >= BACKLOG_CONCURRENCY:
            return False
        seconds = self._rate_limits.background_delay()
        if seconds and not self._pausing:
            self._pausing = True
            asyncio.get_running_loop().call_later(seconds, self._resume)
        return not seconds

    def _resume(self) -> None:
        self._pausing = False
        self._start_next()

    def _start(self, onboarding_id: str) -> None:
        self._running[onboarding_id] = False
        self._tasks.spawn(self._run(onboarding_id), f"publish {onboarding_id}")

    async def _run(self, onboarding_id: str) -> None:
        self._running[onboarding_id] = False
        try:
            await self._publish(onboarding_id)
        finally:
            if self._running.pop(onboarding_id):
                self._awaited[onboarding_id] = None
            self._running_backlog.discard(onboarding_id)
            self._start_next()
