"""A whole onboarding in this process, with hours passing in an instant."""

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
from tests.crash.crashing_bot import CrashPoints
from tests.crash.people import People
from tests.databases import AnyDatabase
from tests.integration.world import running_world

STEP = timedelta(seconds=20)


class TimeLapse:
    """The bot as people experience it; whenever it is just waiting, time jumps ahead."""

    is_up = True
    crashes = 0
    patience = 0.2

    def __init__(self, bot: Bot, clock: Any, database: AnyDatabase, log: StringIO) -> None:
        self._bot, self._clock, self.database, self._log = bot, clock, database, log

    async def wait_a_moment(self) -> None:
        """Let the bot finish what it is doing, then skip some seconds.

        The event loop's own clock advances a little too, as people's patience is measured by it.
        """
        await wait_for_tasks(self._bot.tasks)
        await asyncio.sleep(self.patience / 10)
        await self.advance(STEP)

    async def advance(self, duration: timedelta) -> None:
        """Jump ahead, then sweep."""
        self._clock.tick(duration)
        await self._bot.sweep()
        await wait_for_tasks(self._bot.tasks)

    def log_text(self) -> str:
        return self._log.getvalue()


@asynccontextmanager
async def time_lapse(
    database: AnyDatabase, patch: pytest.MonkeyPatch, people_class: type[People] = People
) -> AsyncIterator[tuple[People, TimeLapse]]:
    """Run a bot and its people; calls time out after a moment, instead of ten seconds."""
    for module in (bot.app.bot, bot.app.running):
        patch.setattr(module, "TIMEOUT_SECONDS", 0.2)
    with freeze_time("2026-03-02 14:00", tick=True, real_asyncio=True) as clock:
        async with running_world(database) as world:
            with captured_log() as log:
                lapse = TimeLapse(world.bot, clock, database, log)
                people = people_class(
                    world.slack,
                    world.servicetitan,
                    lapse,
                    CrashPoints(lambda _name: False),
                    world.erin,
                    world.ann,
                    world.channel,
                    world.engineering,
                )
                yield people, lapse


@contextmanager
def captured_log() -> Iterator[StringIO]:
    """Capture what the bot logs during the block."""
    log = StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        yield log
    finally:
        logging.getLogger().removeHandler(handler)
