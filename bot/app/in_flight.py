"""Slack's requests that are under way, so that the end can wait for them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# What goes on behind the acknowledgements waits so long for a gap between them.
GAP_SECONDS = 0.05
# As long as nothing came, whoever spreads the requests has noticed that we go.
QUIET_SECONDS = 0.25
TICK_SECONDS = 0.01


class Traffic:
    """Counts the requests that were not answered yet."""

    def __init__(self) -> None:
        """Begin without any."""
        self._under_way = 0
        self._free = asyncio.Event()
        self._free.set()
        self._last_at = 0.0
        self.ending = False

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request, from its arrival until its answer."""
        self._under_way += 1
        self._free.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._free.set()
            self._last_at = asyncio.get_running_loop().time()

    async def gap(self) -> None:
        """Wait for a moment at which nobody waits for an answer; not for long."""
        if self._under_way:
            with suppress(TimeoutError):
                async with asyncio.timeout(GAP_SECONDS):
                    await self._free.wait()

    async def end(self, at_most: float, quiet: float = QUIET_SECONDS) -> None:
        """Say from now on that we go; wait until all is answered, and nothing came for a while."""
        self.ending = True
        loop = asyncio.get_running_loop()
        self._last_at = began = loop.time()
        while loop.time() - began < at_most:
            if not self._under_way and loop.time() - self._last_at >= quiet:
                return
            await asyncio.sleep(TICK_SECONDS)
