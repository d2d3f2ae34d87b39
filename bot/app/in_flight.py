"""Counts Slack's requests in flight, so background work and the shutdown can wait for them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# How long background work waits for a moment without requests in flight.
MAX_WAIT_SECONDS = 0.05
# After this long without a request, load balancers and Slack have noticed that we are stopping.
QUIET_SECONDS = 0.25
POLL_SECONDS = 0.01


class InFlight:
    """The requests that have arrived and are not answered yet."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._last_at = 0.0
        self.stopping = False

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as in flight while the block runs."""
        self._count += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()
            self._last_at = asyncio.get_running_loop().time()

    async def wait_until_idle(self) -> None:
        """Wait until no request is in flight, for MAX_WAIT_SECONDS at most."""
        if self._count:
            with suppress(TimeoutError):
                async with asyncio.timeout(MAX_WAIT_SECONDS):
                    await self._idle.wait()

    async def drain(self, seconds: float, quiet: float = QUIET_SECONDS) -> None:
        """Set `stopping`; wait until all are answered and none arrived for `quiet` seconds."""
        self.stopping = True
        loop = asyncio.get_running_loop()
        self._last_at = began = loop.time()
        while loop.time() - began < seconds:
            if not self._count and loop.time() - self._last_at >= quiet:
                return
            await asyncio.sleep(POLL_SECONDS)
