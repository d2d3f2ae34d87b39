"""The stage of the end-to-end tests: the sandboxes, and the bot as a process of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.bot_process import BotProcess
from sandbox.run import MANIFEST, Stage
from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Manifest, SlackSandbox
from tests.databases import AnyDatabase
from tests.integration.world import KEY

ANNOUNCED_KINDS = (
    "started",
    "help_asked",
    "handed_over",
    "verification_finished",
    "credentials_revealed",
    "completed",
)


@dataclass(frozen=True, kw_only=True)
class DatabaseStage(Stage):
    """A stage whose bot may use SQLite or PostgreSQL."""

    bot_database: AnyDatabase


@asynccontextmanager
async def running_stage(
    database: AnyDatabase, *, socket_mode: bool = False, log_level: str = "INFO", **values: Any
) -> AsyncIterator[DatabaseStage]:
    """Start everything, the bot last; `values` are ServiceTitan's right ones."""
    directory = database.directory
    async with (
        SlackSandbox(Manifest.read(MANIFEST), declined_scopes=["files:write"]) as slack,
        ServiceTitanSandbox(seed=3) as servicetitan,
    ):
        for name, value in values.items():
            setattr(servicetitan, name, value)
        engineer = slack.add_person("Erin Engineer")
        admin = slack.add_person("Ann Admin", slack.add_team("Acme Plumbing"))
        engineering = slack.add_channel("engineering", engineer, private=True)
        settings = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_API_URL": slack.api_url,
            "ENGINEERING_CHANNEL": engineering.id,
            "ENGINEERS": "everyone",
            "CREDENTIAL_KEYS": KEY,
            "DATABASE_URL": database.url,
            "SERVICETITAN_AUTH_URL": servicetitan.auth_url,
            "SERVICETITAN_API_URL": servicetitan.api_url,
            "LOG_LEVEL": log_level,
            **(
                {"SLACK_APP_TOKEN": slack.app_token}
                if socket_mode
                else {"SLACK_SIGNING_SECRET": slack.signing_secret}
            ),
        }
        bot = await BotProcess.start(settings, directory)
        try:
            if socket_mode:
                await slack.until(lambda: slack.connections or None)
            else:
                slack.deliver_to(bot.events_url)
            yield DatabaseStage(
                slack=slack,
                servicetitan=servicetitan,
                directory=directory,
                engineer=engineer,
                admin=admin,
                client_channel=slack.add_channel("acme-heavyset", engineer, admin),
                engineering_channel=engineering,
                bot=bot,
                bot_database=database,
            )
        finally:
            await bot.stop()


async def finish_and_stop(stage: Stage) -> int:
    """Wait for the last announcement, then stop the bot; its exit status."""
    await stage.slack.until(
        lambda: any("is done: " in message.text for message in stage.engineering_channel.messages),
        timeout=60,
        awaited="the completion in the engineering channel",
    )
    return await stage.bot.stop()


def slots(stage: Stage, prefix: str = "") -> list[str]:
    """The slots of the thread, in the order in which they were posted."""
    posted = [message.slot or "" for message in stage.client_channel.messages]
    return [slot for slot in posted if slot.startswith(prefix)]


def rows(stage: DatabaseStage, query: str) -> list[tuple[Any, ...]]:
    """Read the bot's database."""
    return stage.bot_database.rows(query)
