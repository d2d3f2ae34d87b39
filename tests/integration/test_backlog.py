"""After an hour of downtime, the bot works off its backlog as fast as Slack's limits allow.

`make test-backlog` runs this with a thousand onboardings and prints how long it took.
"""

import asyncio
import math
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.onboarding import Change, Onboarding, start
from bot.onboarding.people import Actor, Role
from bot.onboarding.steps import choose_option, finish_step
from bot.publishing.publisher import SOMEBODY_WAITS
from bot.publishing.queue import BACKLOG_CONCURRENCY
from sandbox.slack import Channel, Message
from storage import onboardings
from storage.changes import change
from tests import virtual_time
from tests.integration.world import World, running_world
from tests.invariants import assert_consistent
from tests.virtual_time import Clock, use_clock_for_signatures

COUNT = int(os.environ.get("BACKLOG", "40"))
HOUR = timedelta(hours=1)
# Slack's limits in calls per minute (docs.slack.dev, "Rate limits"; the sandbox enforces them).
EDITS_PER_MINUTE, POSTS_PER_MINUTE = 50, 300
PRESS_INTERVAL = 45.0
MAX_SECONDS_UNTIL_SHOWN = 5.0


@dataclass
class Client:
    """One of the many clients."""

    id: str
    channel: Channel
    inactive_for: timedelta = timedelta(0)  # when the bot came back
    pressed: bool = False  # while the bot caught up


@dataclass
class Outage:
    """A world after an hour of downtime."""

    world: World
    clock: Clock
    clients: list[Client]
    pressed: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)

    def message(self, client: Client, slot: str) -> Message | None:
        return self.world.slack.message(client.channel, slot)

    def backlog(self) -> int:
        query = "SELECT count(*) FROM onboarding WHERE revision > published_revision"
        return int(self.world.rows(query)[0][0])

    async def until_caught_up(self) -> None:
        while self.backlog():  # noqa: ASYNC110 (the database tells nobody)
            await asyncio.sleep(1)
        await self.world.idle()

    async def press_occasionally(self) -> None:
        """Have clients in the backlog press *Done*, and record how long each press takes."""
        loop, rng = asyncio.get_running_loop(), random.Random(7)  # noqa: S311
        while True:
            await asyncio.sleep(PRESS_INTERVAL)
            in_backlog = [
                client for client in self.clients if self.message(client, "step:2") is None
            ]
            if not in_backlog:
                return
            client = rng.choice(in_backlog)
            client.pressed, began = True, loop.time()
            step = self.message(client, "step:1")
            assert step
            value = f"{client.id}:3"  # like typing “done” in the thread: the step isn't shown yet
            assert (await self.world.ann.press_raw(step, "step_done", value)).ack.ok
            self.pressed.append(loop.time() - began)
            await self.world.slack.until(partial(self.message, client, "step:4"))
            self.shown.append(loop.time() - began)


@asynccontextmanager
async def run_outage(
    directory: Path, clock: Clock, patch: pytest.MonkeyPatch
) -> AsyncIterator[Outage]:
    """Many onboardings, each with two steps done that Slack does not show yet."""
    use_clock_for_signatures(clock, patch)
    monotonic = asyncio.get_running_loop().time
    async with running_world(
        directory, clock=clock, monotonic=monotonic, sweep_interval=5
    ) as world:
        clients = [await begin(world, clock, number) for number in range(COUNT)]
        outage = Outage(world, clock, clients)
        await outage.until_caught_up()
        await asyncio.sleep(60)  # lets Slack's rate limit counters reset
        order = random.Random(5).sample(clients, COUNT)  # noqa: S311
        for rank, client in enumerate(order):
            client.inactive_for = SOMEBODY_WAITS + HOUR * (rank + 1) / COUNT
            await leave_two_changes_unpublished(world, client, clock)
        world.slack.rate_limits.enabled = True
        yield outage


async def begin(world: World, clock: Clock, number: int) -> Client:
    channel = world.slack.add_channel(f"client-{number}", world.erin, world.ann)
    started = start(
        f"{number:016x}",
        world.bot.database.guides.default,
        client_name=f"Client {number}",
        channel=channel.id,
        engineer=world.erin.id,
        client_admins=[],
        actor=Actor(world.erin.id, world.erin.team.id, Role.ENGINEER),
        now=clock(),
        timezone="Europe/London",
    )
    async with world.bot.database.begin() as session:
        await onboardings.add(session, started)
    return Client(started.onboarding.id, channel)


async def leave_two_changes_unpublished(world: World, client: Client, clock: Clock) -> None:
    """Make two acknowledged changes that Slack doesn't show yet."""
    ann = Actor(world.ann.id, world.ann.team.id, Role.CLIENT_ADMIN)
    at = clock() - client.inactive_for

    def choose(onboarding: Onboarding) -> Change:
        return choose_option(onboarding, 1, "new", ann, at)

    def finish(onboarding: Onboarding) -> Change:
        return finish_step(onboarding, 2, ann, at)

    for transition in (choose, finish):
        await change(world.bot.database, client.id, transition)


def minimum_seconds(edits: int, posts: int) -> float:
    """The shortest time in which that many calls fit under Slack's rate limits."""
    return 60.0 * (
        max(math.ceil(edits / EDITS_PER_MINUTE), math.ceil(posts / POSTS_PER_MINUTE)) - 1
    )


def test_a_backlog_is_published_newest_first_without_delaying_presses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(clock: Clock) -> None:
        async with run_outage(tmp_path, clock, monkeypatch) as outage:
            loop, slack = asyncio.get_running_loop(), outage.world.slack
            before, began = len(slack.calls), loop.time()
            pressing = asyncio.create_task(outage.press_occasionally())

            await outage.until_caught_up()

            took = loop.time() - began
            pressing.cancel()
            calls = slack.calls[before:]
            methods = Counter(call.method for call in calls)
            edits, posts = methods["chat.update"], methods["chat.postMessage"]
            minimum = minimum_seconds(edits, posts)
            limited = sum(call.answer.get("error") == "ratelimited" for call in calls)
            print(  # noqa: T201
                f"\n{COUNT} onboardings, {2 * COUNT} unpublished changes: "
                f"caught up after {took:.0f} s; Slack's limits ask for {minimum:.0f} s "
                f"({edits} edits, {posts} posts, {limited} refused). "
                f"{len(outage.pressed)} presses meanwhile: acknowledged in "
                f"{max(outage.pressed):.1f} s, shown in {max(outage.shown):.1f} s."
            )
            assert took <= 1.5 * minimum + 30
            assert not limited
            assert max(outage.pressed) == 0
            assert max(outage.shown) <= MAX_SECONDS_UNTIL_SHOWN
            assert_newest_first(outage, [call.arguments.get("channel", "") for call in calls])
            for client in outage.clients:
                await assert_consistent(
                    outage.world.bot.database,
                    client.id,
                    client.channel,
                    outage.world.engineering,
                )

    virtual_time.run(scenario)


def assert_newest_first(outage: Outage, channels: list[str]) -> None:
    """Check the order: the client active last came first, give or take concurrent ones."""
    quiet = [client for client in outage.clients if not client.pressed]
    newest_first = [
        client.channel.id for client in sorted(quiet, key=lambda client: client.inactive_for)
    ]
    first_seen = [channel for channel in dict.fromkeys(channels) if channel in newest_first]
    ranks = {channel: rank for rank, channel in enumerate(newest_first)}
    late = [abs(ranks[channel] - rank) for rank, channel in enumerate(first_seen)]
    assert len(first_seen) == len(quiet)
    assert max(late) < BACKLOG_CONCURRENCY
