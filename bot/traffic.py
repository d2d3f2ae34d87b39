"""Slack's requests that are under way, so that the end can wait for them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

# As long as nothing came, whoever spreads the requests has noticed that we go.
QUIET_SECONDS = 0.25
TICK_SECONDS = 0.01


class Traffic:
    """Counts the requests that were not answered yet."""

    def __init__(self) -> None:
        """Begin without any."""
        self._under_way = 0
        self._last_at = 0.0
        self.ending = False

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request, from its arrival until its answer."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._last_at = asyncio.get_running_loop().time()

    async def end(self, at_most: float, quiet: float = QUIET_SECONDS) -> None:
        """Say from now on that we go; wait until all is answered, and nothing came for a while."""
        self.ending = True
        loop = asyncio.get_running_loop()
        self._last_at = began = loop.time()
        while loop.time() - began < at_most:
            if not self._under_way and loop.time() - self._last_at >= quiet:
                return
            await asyncio.sleep(TICK_SECONDS)
