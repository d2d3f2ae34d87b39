"""A whole world in one process: both sandboxes, the people, and the real bot between them."""

import asyncio
import base64
import copy
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.app.bot import Bot
from bot.app.running import running
from bot.app.settings import Settings
from bot.app.sweep import Sweep
from bot.onboarding import Change, Event, EventKind, Onboarding
from bot.onboarding.people import Actor, Role
from bot.onboarding.steps import choose_option, finish_step
from bot.slack.rate_limits import RateLimits
from sandbox.bot_process import free_port
from sandbox.run import MANIFEST
from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import (
    Ack,
    Channel,
    CommandReply,
    Manifest,
    Message,
    Person,
    Press,
    SlackSandbox,
    Submission,
    View,
)
from storage.cache import OnboardingCache
from storage.changes import change
from tests.background import wait_for_tasks
from tests.databases import AnyDatabase, SqliteFile
from tests.invariants import assert_consistent
from tests.virtual_time import elapsed

KEY = base64.urlsafe_b64encode(hashlib.sha256(b"k").digest()).decode()
OTHER_KEY = base64.urlsafe_b64encode(hashlib.sha256(b"o").digest()).decode()
CLIENT_NAME = "Acme Plumbing"
LAST_CLIENT_STEP = 22


@dataclass
class World:
    """Everything that an onboarding needs, running in this event loop."""

    slack: SlackSandbox
    servicetitan: ServiceTitanSandbox
    bot: Bot
    settings: Settings
    database: AnyDatabase
    erin: Person  # HeavySet's engineer
    ann: Person  # the client's admin, external
    channel: Channel  # shared with the client
    engineering: Channel

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    # --- Slack ---

    async def idle(self) -> None:
        """Wait until the bot has nothing left to do."""
        await wait_for_tasks(self.bot.tasks)

    async def type(
        self, text: str, person: Person | None = None, channel: Channel | None = None
    ) -> CommandReply:
        """Type `/servicetitan …`: the engineer, in the client's channel."""
        person, channel = person or self.erin, channel or self.channel
        reply = await person.command(channel, "/servicetitan", text)
        await self.idle()
        return reply

    async def press(
        self,
        person: Person,
        slot: str,
        action_id: str,
        channel: Channel | None = None,
        value: str | None = None,
    ) -> Press:
        """Press a button that a message of the thread shows now, and let the bot finish."""
        pressed = await person.press(self.message(slot, channel), action_id, value=value)
        await self.idle()
        return pressed

    async def open(self, person: Person, slot: str, action_id: str, value: str = "") -> View:
        """Press a button that opens a modal, and return the modal."""
        await self.press(person, slot, action_id, value=value or None)
        return self.view_of(person)

    async def submit(self, person: Person, view: View, **values: Any) -> Submission:
        """Fill in a modal, submit it, and let the bot finish."""
        answer = await person.submit(view, values)
        await self.idle()
        return answer

    def view_of(self, person: Person) -> View:
        assert person.view is not None, f"{person.name} sees no modal: {last_reply(person)}"
        return person.view

    def find(self, slot: str, channel: Channel | None = None) -> Message | None:
        return self.slack.message(channel or self.channel, slot)

    def message(self, slot: str, channel: Channel | None = None) -> Message:
        found = self.find(slot, channel)
        assert found is not None, f"no {slot}; there are {self.slots(channel)}"
        return found

    def slots(self, channel: Channel | None = None) -> list[str]:
        """The slots of the bot's messages, in the order in which they were posted."""
        return [message.slot for message in (channel or self.channel).messages if message.slot]

    @property
    def announced(self) -> list[str]:
        """What the engineering channel was told, oldest first."""
        return [message.text for message in self.engineering.messages]

    # --- an onboarding ---

    async def begin(
        self, name: str = CLIENT_NAME, channel: Channel | None = None, **values: Any
    ) -> str:
        """Start an onboarding as the engineer does; returns its id."""
        await self.type(f"start {name}", channel=channel)
        answer = await self.submit(self.erin, self.view_of(self.erin), **values)
        assert answer.ok, answer
        return str(self.message("root", channel).payload["onboarding_id"])

    async def walk_to(self, step: int) -> None:
        """Bring the onboarding to `step`, the client's part without a press for each step.

        Nothing is entered before step 22, which then gets all five values.
        """
        onboarding, root = self.onboarding, self.message("root")
        await self.finish(onboarding, *range(self.current, min(step, LAST_CLIENT_STEP)))
        for _ in range(3):  # two dozen posts in one go: a database that stalls interrupts them
            self.bot.publisher.wake(onboarding)
            await self.idle()
            if self.find(f"step:{self.current}"):
                break
        for number in range(self.current, step):
            person = self.ann if number == LAST_CLIENT_STEP else self.erin
            if number == LAST_CLIENT_STEP:
                assert (await self.enter(person, number, **self.servicetitan.credentials)).ok
            assert (await person.press_raw(root, "step_done", f"{onboarding}:{number}")).ack.ok
        await self.idle()

    async def finish(self, onboarding: str, *numbers: int) -> None:
        """Have Ann do some of the client's steps, without a press."""
        ann, now = Actor(self.ann.id, self.ann.team.id, Role.CLIENT_ADMIN), datetime.now(UTC)

        def finish_all(at: Onboarding) -> Change:
            events: list[Event] = []
            for number in numbers:
                if number == 1:
                    done = choose_option(at, number, "new", ann, now)
                else:
                    done = finish_step(at, number, ann, now)
                at = done.onboarding
                events += done.events
            return Change(at, tuple(events))

        if numbers:
            await change(self.bot.database, onboarding, finish_all)

    async def enter(self, person: Person, step: int, **values: str | None) -> Submission:
        """Open the form of a step, and enter values."""
        view = await self.open(person, f"step:{step}", "enter_credentials")
        return await self.submit(person, view, **values)

    @property
    def onboarding(self) -> str:
        """The id of the onboarding in the client's channel."""
        return str(self.message("root").payload["onboarding_id"])

    @property
    def current(self) -> int:
        """The number of the current step, by the database."""
        [(number,)] = self.rows("SELECT number FROM step WHERE state = 'current'")
        return int(number)

    # --- the database ---

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the database, past the bot; `?` stands for a value."""
        return self.database.rows(query, *values)

    def write(self, statement: str, *values: Any) -> None:
        """Change the database, past the bot."""
        self.database.write(statement, *values)
        self.bot.database.cache = OnboardingCache()

    async def until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait for what only the database shows: Slack doesn't tell when that changes."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 (nothing tells)
                await asyncio.sleep(0.05)

    def events(self, kind: str) -> list[tuple[Any, ...]]:
        """Who did what at which step, of one kind of event."""
        query = "SELECT actor_user, step FROM event WHERE kind = ? ORDER BY id"
        return self.rows(query, EventKind(kind).value)

    async def send(self, payload: Mapping[str, Any]) -> Ack:
        """Send an interaction that no Slack client would make, well signed."""
        body = urlencode({"payload": json.dumps(payload)}).encode()
        ack = await self.slack.post_signed(body, "application/x-www-form-urlencoded")
        await self.idle()
        return ack

    @property
    def last_interaction(self) -> dict[str, Any]:
        """A copy of the last press or form that Slack sent."""
        sent = [
            delivery.outgoing
            for delivery in self.slack.deliveries
            if delivery.outgoing.kind == "interactive"
        ]
        return copy.deepcopy(sent[-1].payload)

    def last_event(self, kind: str) -> dict[str, Any]:
        """A copy of the last event of a kind that Slack sent."""
        payloads = [delivery.outgoing.payload for delivery in self.slack.deliveries]
        events = [payload for payload in payloads if payload.get("event", {}).get("type") == kind]
        return copy.deepcopy(events[-1])

    async def catch_up(self) -> None:
        """Sweep as if every pause and every lease had run out."""
        past = "2000-01-01 00:00:00.000000"
        self.write(
            "UPDATE onboarding SET publish_after = ?, lease_until = ? "
            "WHERE revision > published_revision",
            *(past, past),
        )
        reset_rate_limits(self.bot.slack.rate_limits)
        self.bot.announcements.ask_again()
        await self.bot.sweep()
        await self.idle()

    async def assert_consistent(self) -> None:
        """See that every onboarding of the client's channel is as it must be."""
        ids = {
            message.payload["onboarding_id"] for message in self.channel.messages if message.slot
        }
        for onboarding in sorted(ids):
            await assert_consistent(self.bot.database, onboarding, self.channel, self.engineering)

    async def get(self, path: str) -> tuple[int, str]:
        """Ask the bot's own server."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.base_url}{path}") as answer,
        ):
            return answer.status, await answer.text()

    async def warnings(self) -> list[str]:
        """What /readyz warns of, after the next look in the background."""
        await self.bot.sweep()
        await self.idle()
        status, text = await self.get("/readyz")
        assert status == 200, text
        return list(json.loads(text)["warnings"])

    @asynccontextmanager
    async def second_bot(
        self, clock: Callable[[], datetime] = lambda: now(), **settings: Any
    ) -> AsyncIterator[Bot]:
        """Run another bot on the same database, perhaps with another clock."""
        changed = {"port": free_port(), **settings}
        async with running(self.settings.model_copy(update=changed), clock) as bot:
            await bot.caught_up.wait()
            yield bot


def now() -> datetime:
    """The time, which freezegun may have stopped and a virtual loop may have passed."""
    return datetime.now(UTC) + timedelta(seconds=elapsed())


def monotonic_time() -> float:
    """What time.monotonic says, which freezegun may move."""
    return time.monotonic() + elapsed()


def from_now(**parts: float) -> datetime:
    """A time that is so far away, as `timedelta` takes it: `days=-3` is three days ago."""
    return datetime.now(UTC) + timedelta(**parts)


@asynccontextmanager
async def hold_calls(slack: SlackSandbox, method: str) -> AsyncIterator[None]:
    """Let calls of a method wait until the block ends."""
    released = asyncio.Event()

    async def gate(moment: str, name: str, _arguments: Mapping[str, Any]) -> bool:
        if (moment, name) == ("arrived", method):
            await released.wait()
        return True

    slack.guard(gate)
    try:
        yield
    finally:
        released.set()


class HeldEndpoint:
    """A ServiceTitan that keeps the requests to an endpoint waiting until it is told to answer."""

    def __init__(self, servicetitan: ServiceTitanSandbox, endpoint: str = "token") -> None:
        self._endpoint, self._answering = endpoint, asyncio.Event()
        self._asked = asyncio.Semaphore(0)
        servicetitan.guard(self._wait)

    async def _wait(self, endpoint: str) -> None:
        if endpoint == self._endpoint:
            self._asked.release()
            await self._answering.wait()

    async def asked(self) -> None:
        """Wait for the next request."""
        async with asyncio.timeout(20):
            await self._asked.acquire()

    def answers(self) -> None:
        """From now on nobody waits."""
        self._answering.set()


def reset_rate_limits(limits: RateLimits) -> None:
    """Let the bot call Slack as if it hadn't done so for a while."""
    limits._kept.clear()
    limits._made.clear()
    limits._spread_until.clear()
    limits._limited_until.clear()


def last_reply(person: Person) -> str:
    """What the bot last told somebody privately."""
    return person.ephemerals[-1].text if person.ephemerals else ""


def is_empty(database: AnyDatabase) -> bool:
    """Whether no onboarding has begun; asking PostgreSQL takes longer than what depends on it."""
    return isinstance(database, SqliteFile) and not database.rows("SELECT id FROM onboarding")


@contextmanager
def without_first_sweep() -> Iterator[None]:
    """Let bots start without their first sweep, which takes a third of a start."""

    async def no_sweep(_sweep: Sweep) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sweep, "__call__", no_sweep)
        yield


@cache
def _manifest() -> Manifest:
    return Manifest.read(MANIFEST)


@asynccontextmanager
async def running_world(
    database: AnyDatabase | Path,
    *,
    named_engineers: bool = False,
    socket_mode: bool = False,
    latency: float = 0.0,
    enterprise_id: str | None = None,
    clock: Callable[[], datetime] = now,
    monotonic: Callable[[], float] = monotonic_time,
    uploads: bool = False,
    **other: Any,
) -> AsyncIterator[World]:
    """Build it; `named_engineers`: only Erin is one. `latency` is Slack's, `other` any setting.

    With `enterprise_id`, HeavySet is an Enterprise Grid organization. With `uploads`, the bot may
    upload files, and so it does.
    """
    if isinstance(database, Path):
        database = SqliteFile.with_tables(database)
    async with (
        SlackSandbox(
            _manifest(),
            latency=latency,
            enterprise_id=enterprise_id,
            clock=lambda: clock().timestamp(),
            declined_scopes=[] if uploads else ["files:write"],
        ) as slack,
        ServiceTitanSandbox(seed=1) as servicetitan,
    ):
        erin = slack.add_person("Erin Engineer")
        ann = slack.add_person("Ann Admin", slack.add_team(CLIENT_NAME))
        channel = slack.add_channel("acme", erin, ann)
        engineering = slack.add_channel("engineering", erin, private=True)
        values: dict[str, Any] = {
            "slack_bot_token": slack.bot_token,
            "slack_signing_secret": slack.signing_secret,
            "slack_app_token": slack.app_token if socket_mode else None,
            "slack_api_url": slack.api_url,
            "engineering_channel": engineering.id,
            "engineers": [erin.id] if named_engineers else ["everyone"],
            "database_url": database.url,
            "credential_keys": [KEY],
            "servicetitan_auth_url": servicetitan.auth_url,
            "servicetitan_api_url": servicetitan.api_url,
            "port": free_port(),
            "sweep_interval": 3600,  # tests sweep when they mean to
            "digest_at": "off",  # frozen days may be Mondays
            **other,
        }
        settings = Settings.model_validate(values)
        async with AsyncExitStack() as stack:
            with without_first_sweep() if is_empty(database) else nullcontext():
                bot = await stack.enter_async_context(running(settings, clock, monotonic))
                slack.deliver_to(f"http://127.0.0.1:{settings.port}/slack/events")
                if socket_mode:
                    await slack.until(lambda: slack.connections or None)
                await bot.caught_up.wait()
            await bot.engineering.look()  # the first sweep does
            yield World(
                slack, servicetitan, bot, settings, database, erin, ann, channel, engineering
            )
