"""Leases: work that one worker does at a time, and that another takes over soon after a crash."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.core.errors import Stale, Unavailable

# So soon another worker goes on with what a dead one had begun.
LEASE = timedelta(seconds=8)
BEATS = 8  # so often a lease is prolonged while it lasts


@asynccontextmanager
async def keep_lease(
    prolong: Callable[[], Awaitable[bool]], lease: timedelta = LEASE, began: float | None = None
) -> AsyncIterator[None]:
    """Keep a lease as long as the block runs; it was taken after `began`, by the loop's clock.

    `prolong` makes it last `lease` from now on; False says that somebody else has it. The block is
    cancelled, and Stale raised, as soon as it is lost: also when the database does not answer.
    """
    seconds, loop = lease.total_seconds(), asyncio.get_running_loop()

    async def beat() -> None:
        while True:
            await asyncio.sleep(seconds / BEATS)
            asked = loop.time()
            try:
                still_ours = await prolong()
            except Unavailable:
                continue
            limit.reschedule(asked + seconds if still_ours else asked)

    limit = asyncio.timeout_at((loop.time() if began is None else began) + seconds)
    try:
        async with limit:
            beating = asyncio.create_task(beat(), name="keep a lease")
            try:
                yield
            finally:
                beating.cancel()
    except TimeoutError:
        if limit.expired():
            raise Stale from None
        raise
