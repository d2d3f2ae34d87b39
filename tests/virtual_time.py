"""An event loop that skips waits: when everything waits for a timer, time jumps to it."""

import array
import asyncio
import fcntl
import selectors
import termios
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import slack_sdk.signature

import bot.app.signature

Result = TypeVar("Result")

# Bytes between local sockets arrive at once; only their acknowledgment may take this long.
DELAYED_ACK_SECONDS = 0.05
POLL_SECONDS = 0.001


class SkippingSelector(selectors.DefaultSelector):
    """Skips to the next timer instead of waiting, unless data is in flight."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        deadline = time.perf_counter() + DELAYED_ACK_SECONDS
        while not (found := super().select(0)):
            if not self.loop.threads and not (
                self._data_in_flight() and time.perf_counter() < deadline
            ):
                self.loop.skip(timeout)
                break
            super().select(POLL_SECONDS)
        return found

    def _data_in_flight(self) -> bool:
        return any(
            key.events & selectors.EVENT_WRITE or unacknowledged(key.fd)
            for key in self.get_map().values()
        )


def unacknowledged(descriptor: int) -> int:
    """Return the number of bytes that a socket has sent and its peer hasn't acknowledged."""
    count = array.array("i", [0])
    try:
        fcntl.ioctl(descriptor, termios.TIOCOUTQ, count)
    except OSError:  # a listening socket
        return 0
    return count[0]


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop with its own clock; everything that communicates must run in it."""

    def __init__(self) -> None:
        selector = SkippingSelector()
        selector.loop = self
        self._skipped_seconds, self.threads = 0.0, 0
        super().__init__(selector)

    def time(self) -> float:
        return self._skipped_seconds

    def skip(self, seconds: float) -> None:
        self._skipped_seconds += seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Result], *args: Any
    ) -> asyncio.Future[Result]:
        """Don't skip any time while a thread is running."""
        future = super().run_in_executor(executor, func, *args)
        self.threads += 1

        def done(_future: asyncio.Future[Result]) -> None:
            self.threads -= 1

        future.add_done_callback(done)
        return future


def elapsed() -> float:
    """Return how many seconds the running loop has skipped; 0 in any other loop."""
    loop = asyncio.get_running_loop()
    return loop.time() if isinstance(loop, VirtualTimeLoop) else 0.0


class Clock:
    """The time of day in such a loop, starting now."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self._began + timedelta(seconds=asyncio.get_running_loop().time())


def use_clock_for_signatures(clock: Clock, patch: pytest.MonkeyPatch) -> None:
    """Check the age of Slack's signatures by this clock."""
    patch.setattr(slack_sdk.signature.Clock, "now", lambda _self: clock().timestamp())
    patch.setattr(bot.app.signature, "time", SimpleNamespace(time=lambda: clock().timestamp()))


def run(work: Callable[[Clock], Coroutine[Any, Any, Result]]) -> Result:
    """Run `work` in a new loop."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work(Clock()))
