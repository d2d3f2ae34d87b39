"""Waits for background tasks, which the bot itself never does."""

import asyncio

from bot.core.background import BackgroundTasks


async def wait_for_tasks(tasks: BackgroundTasks) -> None:
    """Wait until no task is left."""
    while tasks._tasks:
        await asyncio.wait(tasks._tasks)
