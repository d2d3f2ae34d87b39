"""The setup of the measurements: the sandboxes, with the apps as separate processes."""

import base64
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Engine, create_engine, make_url

from sandbox.bot_process import THE_BOT, BotProcess
from sandbox.run import MANIFEST, Stage
from sandbox.scripted_people import opened
from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Channel, Manifest, Person, SlackSandbox
from storage import migrate
from storage.audit.seals import Seals
from storage.database import sync_url
from tests.postgresql import running_cluster

KEY = b"k" * 32
STOCK = ("-m", "tests.bench.stock")
# On, as in production; the tests' cluster turns them off.
DURABILITY_SETTINGS = ("fsync", "full_page_writes", "autovacuum")


@dataclass
class Platforms:
    """Slack and ServiceTitan, HeavySet's engineer, and a client's admin."""

    slack: SlackSandbox
    servicetitan: ServiceTitanSandbox
    directory: Path
    engineer: Person
    admin: Person
    engineering: Channel
    _stack: AsyncExitStack
    _apps: list[BotProcess] = field(default_factory=list)

    def settings(self, database_url: str) -> Mapping[str, str]:
        """The environment of a bot."""
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "ENGINEERING_CHANNEL": self.engineering.id,
            "ENGINEERS": "everyone",
            "CREDENTIAL_KEYS": base64.urlsafe_b64encode(KEY).decode(),
            "DATABASE_URL": database_url,
            "SERVICETITAN_AUTH_URL": self.servicetitan.auth_url,
            "SERVICETITAN_API_URL": self.servicetitan.api_url,
        }

    async def start(
        self, name: str, database_url: str, command: Sequence[str] = THE_BOT, **settings: str
    ) -> BotProcess:
        """Start the bot on a database; `settings` are further ones."""
        directory = self.directory / name
        directory.mkdir(exist_ok=True)
        app = await BotProcess.start(
            {**self.settings(database_url), **settings}, directory, command
        )
        self._stack.push_async_callback(app.stop)
        return app

    async def start_stock(self, *options: str) -> BotProcess:
        """Start the stock app."""
        return await self.start(f"stock{''.join(options)}", "", (*STOCK, *options))

    async def stage(self, bot: BotProcess, client: str = "Acme Plumbing") -> Stage:
        """Have Slack talk to `bot`, about a new client's channel."""
        self.slack.deliver_to(bot.events_url)
        return Stage(
            slack=self.slack,
            servicetitan=self.servicetitan,
            directory=self.directory,
            engineer=self.engineer,
            admin=self.admin,
            client_channel=self.slack.add_channel(
                client.lower().replace(" ", "-"), self.engineer, self.admin
            ),
            engineering_channel=self.engineering,
            bot=bot,
        )


@asynccontextmanager
async def running_platforms(
    directory: Path, *, latency: float = 0.0, clock: Callable[[], float] = time.time
) -> AsyncIterator[Platforms]:
    """Start Slack, which takes `latency` for each call, and ServiceTitan; apps end with them."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(
            SlackSandbox(
                Manifest.read(MANIFEST),
                latency=latency,
                clock=clock,
                declined_scopes=["files:write"],
            )
        )
        servicetitan = await stack.enter_async_context(ServiceTitanSandbox(seed=3, clock=clock))
        engineer = slack.add_person("Erin Engineer")
        admin = slack.add_person("Ann Admin", slack.add_team("Acme Plumbing"))
        engineering = slack.add_channel("engineering", engineer, private=True)
        yield Platforms(slack, servicetitan, directory, engineer, admin, engineering, stack)


async def begin(stage: Stage) -> str:
    """Start an onboarding as the engineer does; return its id."""
    await stage.engineer.command(stage.client_channel, "/servicetitan", "start Acme Plumbing")
    form = await opened(stage, stage.engineer, "start_onboarding")
    assert (await stage.engineer.submit(form)).ok
    root = await stage.slack.until(lambda: stage.slack.message(stage.client_channel, "root"))
    await stage.slack.until(lambda: stage.slack.message(stage.client_channel, "step:1"))
    return str(root.payload["onboarding_id"])


def seals() -> Seals:
    """The seals of the bots measured here."""
    return Seals([KEY])


@contextmanager
def migrated(directory: Path, server: str) -> Iterator[dict[str, str]]:
    """Give the URLs of a new SQLite file and, with a server, of a new PostgreSQL database."""
    urls = {"SQLite": f"sqlite:///{directory / 'bench.db'}"}
    migrate.upgrade(urls["SQLite"], seals=seals())
    if not server:
        yield urls
        return
    with _database(server) as url:
        migrate.upgrade(url, seals=seals())
        yield {**urls, "PostgreSQL": url}


def engine_for(url: str) -> Engine:
    """Return an engine for direct access."""
    return create_engine(sync_url(url))


@contextmanager
def postgresql() -> Iterator[str]:
    """Give the URL of TEST_DATABASE_URL's server, or of a new one that is as safe as a real one."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    with running_cluster() as cluster:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            for name in DURABILITY_SETTINGS:
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = on").format(sql.Identifier(name)))
            connection.execute("SELECT pg_reload_conf()")
        yield cluster.url


@contextmanager
def _database(server: str) -> Iterator[str]:
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            parsed = make_url(server).set(database=name)
            yield parsed.render_as_string(hide_password=False)
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)
