"""The stage for the scripted and the interactive walk: both sandboxes, the people, the bot."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.bot_process import BotProcess, generate_key
from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Channel, Manifest, Person, SlackSandbox
from sandbox.transcript import Transcript

MANIFEST = Path(__file__).parents[1] / "manifest.yml"


@dataclass(frozen=True)
class Stage:
    """Everything that an onboarding needs, running."""

    slack: SlackSandbox
    servicetitan: ServiceTitanSandbox
    bot: BotProcess
    transcript: Transcript
    directory: Path
    engineer: Person
    admin: Person
    client_channel: Channel
    engineering_channel: Channel
    patience: float  # seconds that somebody waits for the bot

    @property
    def database(self) -> Path:
        return database_in(self.directory)


@asynccontextmanager
async def staged(*, real_limits: bool = False) -> AsyncIterator[Stage]:
    """Start a Slack, a ServiceTitan and the bot; the bot is stopped at the end."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        slack = await stack.enter_async_context(
            SlackSandbox(Manifest.read(MANIFEST), rate_limits=real_limits)
        )
        servicetitan = await stack.enter_async_context(ServiceTitanSandbox())
        engineer = slack.add_person("Erin Engineer")
        admin = slack.add_person("Ann Admin", slack.add_team("Acme Plumbing"))
        client_channel = slack.add_channel("acme-heavyset", engineer, admin)
        engineering_channel = slack.add_channel("engineering", engineer, private=True)
        transcript = Transcript(slack.name_of, dated=slack.dated)
        slack.observe(transcript)
        settings = _settings(slack, servicetitan, engineering_channel, directory)
        settings["CREDENTIAL_KEYS"] = await generate_key(directory)
        bot = await BotProcess.start(settings, directory)
        stack.push_async_callback(bot.stop)
        slack.deliver_to(bot.events_url)
        yield Stage(
            slack,
            servicetitan,
            bot,
            transcript,
            directory,
            engineer,
            admin,
            client_channel,
            engineering_channel,
            patience=90.0 if real_limits else 15.0,
        )


def _settings(
    slack: SlackSandbox,
    servicetitan: ServiceTitanSandbox,
    engineering_channel: Channel,
    directory: Path,
) -> dict[str, str]:
    """The bot's environment, without the key that encrypts."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "ENGINEERING_CHANNEL": engineering_channel.id,
        "ENGINEERS": "everyone",
        "DATABASE_URL": f"sqlite:///{database_in(directory)}",
        "SERVICETITAN_AUTH_URL": servicetitan.auth_url,
        "SERVICETITAN_API_URL": servicetitan.api_url,
        "LOG_LEVEL": "INFO",
    }


def database_in(directory: Path) -> Path:
    return directory / "onboarding.db"
