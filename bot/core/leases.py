"""Leases: one worker does the work at a time, and another takes over soon after a crash."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.core.errors import Stale, Unavailable

# How soon another worker takes over the work of a dead one.
LEASE = timedelta(seconds=8)
RENEWALS = 8  # how often a lease is renewed within its duration


@asynccontextmanager
async def keep_lease(
    prolong: Callable[[], Awaitable[bool]], lease: timedelta = LEASE, began: float | None = None
) -> AsyncIterator[None]:
    """Keep a lease while the block runs; it was taken after `began`, by the loop's clock.

    `prolong` extends it to `lease` from now, or returns False if another worker has it. If it is
    lost, say because the database does not answer, the block is cancelled and Stale raised.
    """
    seconds, loop = lease.total_seconds(), asyncio.get_running_loop()

    async def renew() -> None:
        while True:
            await asyncio.sleep(seconds / RENEWALS)
            asked = loop.time()
            try:
                still_ours = await prolong()
            except Unavailable:
                continue
            limit.reschedule(asked + seconds if still_ours else asked)

    limit = asyncio.timeout_at((loop.time() if began is None else began) + seconds)
    try:
        async with limit:
            renewing = asyncio.create_task(renew(), name="keep a lease")
            try:
                yield
            finally:
                renewing.cancel()
    except TimeoutError:
        if limit.expired():
            raise Stale from None
        raise
