"""Watches the event loop: how late it runs, and how many tasks it has."""

import asyncio

from bot.core.metrics import Metrics

INTERVAL_SECONDS = 0.1


async def watch_event_loop(metrics: Metrics) -> None:
    """Wake up ten times a second and record by how much each time was late; never returns.

    Anything that blocks the loop delays every acknowledgement in progress by as much.
    """
    loop = asyncio.get_running_loop()
    metrics.tasks.set_function(lambda: len(asyncio.all_tasks(loop)))
    while True:
        due = loop.time() + INTERVAL_SECONDS
        await asyncio.sleep(INTERVAL_SECONDS)
        metrics.loop_lag.observe(loop.time() - due)
