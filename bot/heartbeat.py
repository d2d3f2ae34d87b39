"""Keeps a lease while its work goes on, and ends the work if the lease is lost.

So a lease may be short: whoever dies is followed by another worker within seconds, and whoever
lives keeps it however long the work takes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.errors import Stale

log = logging.getLogger(__name__)

# A lease is prolonged so often while it lasts: after as many failures it has run out.
BEATS = 3


@asynccontextmanager
async def kept(
    prolong: Callable[[], Awaitable[object]],
    lasts: float,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[None]:
    """Prolong a lease again and again while the block runs; it `lasts` so many seconds each time.

    `prolong` raises Stale if the lease is no longer ours; it must not take a lease that is free, as
    the block may have given it back. If the lease is lost, or could not be prolonged in time, the
    block is cancelled and Stale raised.
    """
    over = prolonging = False

    async def beat(work: asyncio.Timeout) -> None:
        nonlocal prolonging
        failures = 0
        while failures < BEATS and not over:
            await sleep(lasts / BEATS)
            prolonging = True
            try:
                await prolong()
            except Stale:
                break
            except Exception as error:  # the next one may get through in time
                failures += 1
                log.warning("a lease was not prolonged", extra={"reason": type(error).__name__})
            else:
                failures = 0
            finally:
                prolonging = False
        if not over:
            work.reschedule(0)  # its time is over

    try:
        async with asyncio.timeout(None) as work:
            beating = asyncio.create_task(beat(work), name="heartbeat")
            try:
                yield
            finally:
                over = True
                if not prolonging:  # else it ends with that: the database is left in peace
                    beating.cancel()
                await asyncio.gather(beating, return_exceptions=True)
    except TimeoutError:
        if work.expired():
            raise Stale from None
        raise
