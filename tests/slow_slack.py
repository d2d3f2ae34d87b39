"""An event loop in which nobody waits: whenever all are waiting for time to pass, it has passed."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import slack_sdk.signature

import bot.app.web

Result = TypeVar("Result")

# So long something from a thread or a socket may be on its way to us, really.
REAL_SECONDS = 0.001


class Leaping(selectors.DefaultSelector):
    """Leaps to the next timer instead of waiting for it."""

    leap: Callable[[float], None]
    real_seconds: float

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        found = super().select(self.real_seconds)
        if not found:
            self.leap(timeout)
        return found


class UnhurriedLoop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own; all that talks must run in it."""

    def __init__(self, real_seconds: float) -> None:
        selector = Leaping()
        selector.real_seconds = real_seconds
        selector.leap = self._leap
        self._passed = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self._passed

    def _leap(self, seconds: float) -> None:
        self._passed += seconds


class Clock:
    """The time of day in an unhurried loop, which begins now."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self._began + timedelta(seconds=asyncio.get_running_loop().time())


def tell_the_time(clock: Clock, patch: pytest.MonkeyPatch) -> None:
    """Let Slack's signatures be judged by this clock."""
    patch.setattr(slack_sdk.signature.Clock, "now", lambda _self: clock().timestamp())
    patch.setattr(bot.app.web, "time", SimpleNamespace(time=lambda: clock().timestamp()))


def run(
    work: Callable[[Clock], Coroutine[Any, Any, Result]], real_seconds: float = REAL_SECONDS
) -> Result:
    """Run `work` in a loop of its own, which leaps after so long without anything to do."""
    with asyncio.Runner(loop_factory=lambda: UnhurriedLoop(real_seconds)) as runner:
        return runner.run(work(Clock()))
