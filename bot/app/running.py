"""Runs a bot with its HTTP servers, from its start to an orderly stop."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime

from bot.app.bot import Bot
from bot.app.connections import listening
from bot.app.http_clients import http_client, slack_session
from bot.app.probes import Probes
from bot.app.settings import Settings
from bot.app.web import probes_app, web_app
from bot.slack import TIMEOUT_SECONDS
from storage import leases
from storage.database import Conflict

# Shutdown takes ten seconds at most: DRAIN_SECONDS in bot.py, CLOSING_SECONDS in connections.py,
# then these for the background tasks, and for ciphertexts that were deleted a moment ago.
TASKS_SECONDS, CLEANING_SECONDS = 4, 1
MAX_MONITORS = 16  # connections to METRICS_PORT at once


def _now() -> datetime:
    return datetime.now(UTC)


def _monotonic() -> float:
    return time.monotonic()


@asynccontextmanager
async def running(
    settings: Settings,
    clock: Callable[[], datetime] = _now,
    monotonic: Callable[[], float] = _monotonic,
) -> AsyncIterator[Bot]:
    """Run a bot, its servers and its connection to Slack until the block ends.

    If Slack is unavailable, the bot starts anyway and says so at /readyz. `Bot.working` is its main
    task, which ends only with SlackRefused, for a token that Slack does not accept. `monotonic`
    times the pauses that Slack asks for.
    """
    async with (
        slack_session(TIMEOUT_SECONDS) as session,
        http_client(settings.proxy) as http,
    ):
        bot = Bot(settings, session=session, http=http, clock=clock, monotonic=monotonic)
        with bot.database.alone() as is_alone:
            try:
                with suppress(Conflict):  # another worker starts with the same guide
                    async with bot.database.begin() as transaction:
                        await bot.database.guides.save_newest(transaction)
                if is_alone:
                    async with bot.database.begin() as transaction:
                        await leases.end_all(transaction)
            except BaseException:
                await bot.database.close()
                raise
            bot.working = asyncio.create_task(bot.work(), name="work")
            cleaning = asyncio.create_task(bot.cleaner.work(), name="remove old ciphertexts")
            try:
                async with _serving(bot):
                    yield bot
            finally:
                cleaning.cancel()
                await asyncio.gather(cleaning, return_exceptions=True)
                await _stop(bot)


async def _stop(bot: Bot) -> None:
    """Stop taking requests, finish the background tasks, close what is open."""
    bot.working.cancel()
    await asyncio.gather(bot.working, return_exceptions=True)
    if bot.socket:
        await bot.socket.close(0)
    await bot.tasks.close(TASKS_SECONDS)
    await bot.lookups.close(0)
    await bot.cleaner.finish(CLEANING_SECONDS)
    await bot.database.close()


@asynccontextmanager
async def _serving(bot: Bot) -> AsyncIterator[None]:
    """Listen on PORT, and on METRICS_PORT if it is set, until the block ends."""
    settings = bot.settings
    probes = Probes(bot.health, bot.metrics, settings.metrics_token)
    monitors = (
        listening(
            probes_app(probes),
            settings.host,
            settings.metrics_port,
            bot.metrics,
            setting="METRICS_PORT",
            max_connections=MAX_MONITORS,
        )
        if settings.metrics_port
        else nullcontext()
    )
    app = web_app(bot, probes)
    async with monitors, listening(app, settings.host, settings.port, bot.metrics):
        yield
