"""Whose turn it is: first what somebody waits for, the newest before all; then what was left.

Only few are at work at the same time, however many there are: the acknowledgements need the
database too.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from bot.core.background import BackgroundTasks
from bot.slack.rate_limits import RateLimits

AT_ONCE = 8
LEFT_BEHIND_AT_ONCE = 2


class PublishQueue:
    """Runs `work` for one id after the other, never twice at the same time for the same."""

    def __init__(
        self,
        work: Callable[[str], Coroutine[Any, Any, None]],
        tasks: BackgroundTasks,
        rate_limits: RateLimits,
    ) -> None:
        """Take what is to be done, who owns it, and the rate limits it keeps to."""
        self._work, self._tasks, self._rate_limits = work, tasks, rate_limits
        self._awaited: dict[str, None] = {}  # the newest last
        self._left_behind: deque[str] = deque()
        self._busy: dict[str, bool] = {}  # whether it was called again meanwhile
        self._at_leisure: set[str] = set()
        self._resting = False

    def call(self, one: str) -> None:
        """Somebody waits for `one`; calls for one that is at work are coalesced."""
        if one in self._busy:
            self._busy[one] = True
            return
        self._awaited.pop(one, None)
        self._awaited[one] = None
        self._go_on()

    def catch_up(self, left_behind: Iterable[str]) -> None:
        """Work these off when there is leisure, in this order, in place of the earlier ones."""
        self._left_behind = deque(left_behind)
        self._go_on()

    def again(self, one: str) -> Callable[[str], None]:
        """Return how to call `one` again that is at work: as somebody waits for it, or not."""
        return self._leave if one in self._at_leisure else self.call

    def _leave(self, one: str) -> None:
        self._left_behind.appendleft(one)
        self._go_on()

    def _go_on(self) -> None:
        while self._awaited and len(self._busy) < AT_ONCE:
            self._start(self._awaited.popitem()[0])
        while self._left_behind and self._has_leisure():
            one = self._left_behind.popleft()
            if one not in self._busy:
                self._at_leisure.add(one)
                self._start(one)

    def _has_leisure(self) -> bool:
        if self._awaited or len(self._at_leisure) >= LEFT_BEHIND_AT_ONCE:
            return False
        seconds = self._rate_limits.background_delay()
        if seconds and not self._resting:
            self._resting = True
            asyncio.get_running_loop().call_later(seconds, self._rested)
        return not seconds

    def _rested(self) -> None:
        self._resting = False
        self._go_on()

    def _start(self, one: str) -> None:
        self._busy[one] = False
        self._tasks.spawn(self._run(one), f"publish {one}")

    async def _run(self, one: str) -> None:
        try:
            while True:
                self._busy[one] = False
                await self._work(one)
                if not self._busy[one]:
                    return
        finally:
            del self._busy[one]
            self._at_leisure.discard(one)
            self._go_on()
