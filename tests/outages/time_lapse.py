"""A whole onboarding in this process, in which hours pass in an instant."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from freezegun import freeze_time

import bot.app.bot
import bot.app.running
from bot.app.bot import Bot
from tests.background import wait_for_tasks
from tests.crash.crashing_bot import Points
from tests.crash.people import People
from tests.databases import AnyDatabase
from tests.integration.world import running_world

STEP = timedelta(seconds=20)


class Lapse:
    """The bot as people notice it; whenever it only waits, time jumps."""

    is_up = True
    deaths = 0
    patience = 0.2

    def __init__(self, bot: Bot, clock: Any, database: AnyDatabase, log: StringIO) -> None:
        self._bot, self._clock, self.database, self._log = bot, clock, database, log

    async def breathe(self) -> None:
        """Let the bot finish what it is at; then some seconds are over at once.

        A moment of the loop's own time passes too, as people's patience is measured by that.
        """
        await wait_for_tasks(self._bot.tasks)
        await asyncio.sleep(self.patience / 10)
        await self.passes(STEP)

    async def passes(self, duration: timedelta) -> None:
        """Let time pass in one go, and sweep afterwards."""
        self._clock.tick(duration)
        await self._bot.sweep()
        await wait_for_tasks(self._bot.tasks)

    def log_text(self) -> str:
        return self._log.getvalue()


@asynccontextmanager
async def lapsing(
    database: AnyDatabase, patch: pytest.MonkeyPatch, kind: type[People] = People
) -> AsyncIterator[tuple[People, Lapse]]:
    """Run a bot and its people; its calls time out after a moment, instead of ten seconds."""
    for module in (bot.app.bot, bot.app.running):
        patch.setattr(module, "TIMEOUT_SECONDS", 0.2)
    with freeze_time("2026-03-02 14:00", tick=True, real_asyncio=True) as clock:
        async with running_world(database) as world:
            with logged() as log:
                lapse = Lapse(world.bot, clock, database, log)
                people = kind(
                    world.slack,
                    world.servicetitan,
                    lapse,
                    Points(lambda _name: False),
                    world.erin,
                    world.ann,
                    world.channel,
                    world.engineering,
                )
                yield people, lapse


@contextmanager
def logged() -> Iterator[StringIO]:
    """Keep what the bot logs during the block."""
    log = StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        yield log
    finally:
        logging.getLogger().removeHandler(handler)
