"""A whole onboarding in this process, in which hours pass in an instant."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time

import bot.app
from bot.app import Bot, running
from bot.settings import Settings
from sandbox.bot_process import free_port
from sandbox.servicetitan import ServiceTitanSandbox
from sandbox.slack import Manifest, SlackSandbox
from sandbox.stage import MANIFEST, database_in
from tests.crash.mortal import Points
from tests.crash.people import People
from tests.integration.world import KEY, empty_database

STEP = timedelta(seconds=20)


class Lapse:
    """The bot as people notice it; whenever it only waits, time jumps."""

    is_up = True
    deaths = 0
    patience = 0.2

    def __init__(self, bot: Bot, clock: Any, database: Path, log: Path) -> None:
        self._bot, self._clock, self.database, self._log = bot, clock, database, log
        self.bot = bot

    async def breathe(self) -> None:
        """Let the bot finish what it is at; then some seconds are over at once."""
        await self._bot.tasks.idle()
        await self.passes(STEP)

    async def passes(self, duration: timedelta) -> None:
        """Let time pass in one go, and sweep afterwards."""
        self._clock.tick(duration)
        await self._bot.sweep()
        await self._bot.tasks.idle()

    def log_text(self) -> str:
        return self._log.read_text(encoding="utf-8")


@asynccontextmanager
async def lapsing(
    directory: Path, patch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[People, Lapse]]:
    """Run a bot and its people; its calls time out after a moment, instead of ten seconds."""
    patch.setattr(bot.app, "TIMEOUT_SECONDS", 0.2)
    database = database_in(directory)
    database.write_bytes(empty_database())
    handler = logging.FileHandler(directory / "bot.log", encoding="utf-8")
    logging.getLogger("bot").addHandler(handler)
    try:
        with freeze_time("2026-03-02 14:00", tick=True, real_asyncio=True) as clock:
            async with (
                SlackSandbox(
                    Manifest.read(MANIFEST),
                    clock=lambda: time.time(),  # the frozen one
                    event_retries=(0.01, 0.02, 0.05),
                ) as slack,
                ServiceTitanSandbox(seed=5) as servicetitan,
            ):
                erin = slack.add_person("Erin Engineer")
                ann = slack.add_person("Ann Admin", slack.add_team("Acme Plumbing"))
                channel = slack.add_channel("acme-heavyset", erin, ann)
                engineering = slack.add_channel("engineering", erin, private=True)
                settings = Settings.model_validate(
                    {
                        "slack_bot_token": slack.bot_token,
                        "slack_signing_secret": slack.signing_secret,
                        "slack_api_url": slack.api_url,
                        "engineering_channel": engineering.id,
                        "credential_keys": [KEY],
                        "database_url": f"sqlite:///{database}",
                        "servicetitan_auth_url": servicetitan.auth_url,
                        "servicetitan_api_url": servicetitan.api_url,
                        "port": free_port(),
                        "sweep_interval": 86400,
                    }
                )
                async with running(settings) as one:
                    await one.slack.identify()
                    slack.deliver_to(f"http://127.0.0.1:{settings.port}/slack/events")
                    lapse = Lapse(one, clock, database, directory / "bot.log")
                    points = Points(lambda _name: False)
                    people = People(
                        slack, servicetitan, lapse, points, erin, ann, channel, engineering
                    )
                    yield people, lapse
    finally:
        logging.getLogger("bot").removeHandler(handler)
        handler.close()
