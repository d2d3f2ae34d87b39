"""`onboarding run`: serves Slack's requests until SIGTERM or SIGINT."""

import asyncio
import gc
import logging
import signal

from bot.app.event_loop import watch_event_loop
from bot.app.running import running
from bot.app.settings import Settings, secret_paths
from bot.cli import private_files
from bot.cli.command import say, with_settings
from bot.slack import SlackRefused
from storage import migrate
from storage.audit.seals import Seals
from storage.database import is_sqlite

log = logging.getLogger(__name__)


@with_settings(check_tables=False, outdated_status=2)
def run(settings: Settings) -> int:
    for line in (*settings.doubts, *private_files.warnings(secret_paths(), settings.database_url)):
        log.warning(line)
    log.info("opening the database", extra={"at": migrate.where(settings.database_url)})
    if is_sqlite(settings.database_url):
        migrate.upgrade(settings.database_url, seals=Seals(settings.keys))
    else:
        migrate.check(settings.database_url)
    try:
        asyncio.run(_serve(settings))
    except SlackRefused as error:
        connecting = error.method == "apps.connections.open"
        name = "SLACK_APP_TOKEN" if connecting else "SLACK_BOT_TOKEN"
        return say(f"{name}: Slack rejected it ({error.code}). Copy it again.", 2)
    return 0


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as bot:
        gc.set_threshold(10_000, 20, 20)
        gc.freeze()  # imports and setup stay for good, so there is no need to scan them
        gc.enable()
        stopped = asyncio.create_task(stop.wait())
        watching = asyncio.create_task(watch_event_loop(bot.metrics))
        await asyncio.wait([stopped, bot.working], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        watching.cancel()
        if bot.working.done():
            bot.working.result()
        await bot.retire()
