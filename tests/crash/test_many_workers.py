"""Several workers on one PostgreSQL, killed at random: nothing is lost or posted twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.core.leases import LEASE
from sandbox.run import MANIFEST
from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Channel, Manifest, SlackSandbox
from storage.audit.seals import Seals
from storage.database import Database
from tests.crash.crashing_bot import CrashPoints
from tests.crash.final_state import (
    KEY as RAW_KEY,
    assert_onboarding_completed,
    assert_pinned,
)
from tests.crash.fleet import Fleet, running_fleet
from tests.crash.forks import events_url
from tests.crash.people import People
from tests.databases import ON_POSTGRESQL, AnyDatabase
from tests.integration.world import KEY
from tests.invariants import assert_consistent

# How long Slack waits for an ack: three seconds, but less here in Socket Mode.
ACK_DEADLINE = {False: 3.0, True: 1.5}
TAKEOVER_SECONDS = 15.0
# The longest anyone may wait for anything: two takeovers in a row, plus one attempt.
MAX_WAIT_SECONDS = 2 * TAKEOVER_SECONDS + 5


@dataclass(frozen=True)
class Stage:
    """Both sandboxes, and the workers."""

    slack: SlackSandbox
    servicetitan: ServiceTitanSandbox
    engineering: Channel
    fleet: Fleet

    def clients(self, count: int) -> list[People]:
        """That many clients, each with their own engineer; every other pair is impatient."""
        return [self._client(number) for number in range(1, count + 1)]

    def _client(self, number: int) -> People:
        slack, name = self.slack, f"Client {number}"
        erin = slack.add_person(f"Engineer {number}")
        ann = slack.add_person(f"Admin {number}", slack.add_team(name))
        channel = slack.add_channel(f"client-{number}", erin, ann)
        return People(
            *(slack, self.servicetitan, self.fleet, CrashPoints(lambda _name: False), erin, ann),
            *(channel, self.engineering, name),
            impatient=number % 2 == 1,
        )


@asynccontextmanager
async def running_stage(
    database: AnyDatabase,
    workers: int,
    seed: int = 0,
    *,
    socket_mode: bool = False,
    sweep_interval: int = 1,
) -> AsyncIterator[Stage]:
    async with (
        SlackSandbox(
            Manifest.read(MANIFEST),
            event_retries=(0.3, 0.6, 1.2),
            ack_deadline=ACK_DEADLINE[socket_mode],
        ) as slack,
        ServiceTitanSandbox(seed=5) as servicetitan,
    ):
        engineering = slack.add_channel("engineering", private=True)
        environment = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_API_URL": slack.api_url,
            "ENGINEERING_CHANNEL": engineering.id,
            "ENGINEERS": "everyone",
            "CREDENTIAL_KEYS": KEY,
            "SERVICETITAN_AUTH_URL": servicetitan.auth_url,
            "SERVICETITAN_API_URL": servicetitan.api_url,
            "SWEEP_INTERVAL": str(sweep_interval),
            **(
                {"SLACK_APP_TOKEN": slack.app_token}
                if socket_mode
                else {"SLACK_SIGNING_SECRET": slack.signing_secret}
            ),
        }
        async with running_fleet(slack, environment, database, workers, seed) as fleet:
            if socket_mode:
                await slack.until(lambda: slack.connections == workers or None, 10)
            yield Stage(slack, servicetitan, engineering, fleet)


async def onboard(stage: Stage, clients: int) -> str:
    """Onboard that many clients concurrently, wait until all caught up, and return a summary."""
    everybody = stage.clients(clients)
    began = time.monotonic()
    await asyncio.gather(*(people.onboard() for people in everybody))
    for people in everybody:
        await people.wait_until_caught_up()
        await assert_onboarding_completed(people)
        assert_pinned(people)
        await assert_client_consistent(people)
    longest = max(people.longest_wait for people in everybody)
    assert longest < MAX_WAIT_SECONDS
    refused = sum(not delivery.ack.ok for delivery in stage.slack.deliveries)
    return (
        f"{clients} clients, {len(stage.fleet.workers)} workers, {stage.fleet.crashes} killed, "
        f"{len(stage.slack.deliveries)} requests ({refused} without an answer), "
        f"{len(stage.slack.calls)} calls, the longest wait {longest:.1f} s, "
        f"{time.monotonic() - began:.1f} s"
    )


async def assert_client_consistent(people: People) -> None:
    """Check that a client's thread, history, and announcements are consistent."""
    database = Database(people.bot.database.url, Seals([RAW_KEY]))
    [(onboarding_id,)] = people.query(f"SELECT id FROM {people.onboarding}")  # noqa: S608
    try:
        await assert_consistent(database, onboarding_id, people.channel, people.engineering)
    finally:
        await database.close()


HTTP, SOCKET_MODE = False, True
AFTER_STEP_1 = ["root", "welcome", "step:1", "step:2"]


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("workers", "socket_mode"),
    [
        pytest.param(2, HTTP, marks=pytest.mark.long),
        (4, HTTP),
        (2, SOCKET_MODE),
    ],
    ids=["2 over HTTP", "4 over HTTP", "2 over Socket Mode"],
)
async def test_workers_killed_at_random_lose_and_repeat_nothing(
    database: AnyDatabase, workers: int, socket_mode: bool
) -> None:
    async with running_stage(database, workers, socket_mode=socket_mode) as stage:
        stage.fleet.schedule_kills(4, between=(15, 25), after=20)

        await onboard(stage, 2)

        assert stage.fleet.crashes == 4


@pytest.mark.long
@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("workers", "socket_mode"), [(2, HTTP), (4, HTTP), (2, SOCKET_MODE), (4, SOCKET_MODE)]
)
async def test_many_clients_are_onboarded_while_workers_keep_getting_killed(
    database: AnyDatabase, workers: int, socket_mode: bool, tell: Callable[[str], None]
) -> None:
    async with running_stage(database, workers, seed=workers, socket_mode=socket_mode) as stage:
        stage.fleet.schedule_kills(20, between=(10, 20), after=50)

        tell(await onboard(stage, 5))


@ON_POSTGRESQL
async def test_the_thread_of_a_dead_worker_is_taken_over_within_seconds(
    database: AnyDatabase,
) -> None:
    async with running_stage(database, 2) as stage:
        [people], fleet, killed_at = stage.clients(1), stage.fleet, 0.0
        victim, _other = fleet.workers

        async def kill_after_post(moment: str, method: str, _arguments: dict[str, Any]) -> bool:
            nonlocal killed_at
            if (moment, method, fleet.crashes) == ("performed", "chat.postMessage", 0):
                fleet.kill(victim)
                killed_at = time.monotonic()
            return True

        await people.begin()
        await people.wait_for_step(1)
        await people.wait_until_caught_up()
        stage.slack.deliver_to(events_url(victim.port))
        stage.slack.guard(kill_after_post)
        await people.ann.press(people.step_message(1), "choose_account:new")
        await stage.slack.until(lambda: killed_at)
        await people.wait_until_caught_up()

        assert time.monotonic() - killed_at < TAKEOVER_SECONDS
        assert [message.slot for message in people.channel.messages] == AFTER_STEP_1


# Extra seconds allowed for a busy machine; `tell` reports the actual time.
TOLERANCE_SECONDS = 4.0


async def kill_while_posting(stage: Stage, people: People, *, replaced: bool) -> float:
    """Kill the first worker while it posts the second step, and return when it died."""
    fleet, victim, killed_at = stage.fleet, stage.fleet.workers[0], 0.0

    async def kill_after_post(moment: str, method: str, _arguments: dict[str, Any]) -> bool:
        nonlocal killed_at
        if (moment, method, fleet.crashes) == ("performed", "chat.postMessage", 0):
            fleet.kill(victim, replaced=replaced)
            killed_at = time.monotonic()
        return True

    await people.begin()
    await people.wait_for_step(1)
    await people.wait_until_caught_up()
    stage.slack.deliver_to(events_url(victim.port))
    stage.slack.guard(kill_after_post)
    await people.ann.press(people.step_message(1), "choose_account:new")
    await stage.slack.until(lambda: killed_at or None, 10)
    return killed_at


async def wait_until_shown(people: People) -> float:
    """Wait until the first message shows the second step too, and return when it did."""
    async with asyncio.timeout(30):
        while people.query("SELECT 1 FROM onboarding WHERE revision > published_revision"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return time.monotonic()


async def test_a_restarted_bot_resumes_posting_immediately(
    database: AnyDatabase, tell: Callable[[str], None]
) -> None:
    async with running_stage(database, 1, sweep_interval=5) as stage:
        [people] = stage.clients(1)
        await kill_while_posting(stage, people, replaced=True)
        await stage.slack.until(lambda: stage.fleet.is_up or None, 20)
        up_at = time.monotonic()
        took = await wait_until_shown(people) - up_at

        tell(f"caught up {took:.1f} s after the restart")
        assert took < 2 + TOLERANCE_SECONDS
        assert [message.slot for message in people.channel.messages] == AFTER_STEP_1


@ON_POSTGRESQL
async def test_another_worker_takes_over_a_dead_workers_lease_when_it_expires(
    database: AnyDatabase, tell: Callable[[str], None]
) -> None:
    async with running_stage(database, 2, sweep_interval=5) as stage:
        [people] = stage.clients(1)
        killed_at = await kill_while_posting(stage, people, replaced=False)
        took = await wait_until_shown(people) - killed_at

        tell(f"caught up {took:.1f} s after the worker was killed")
        assert took < LEASE.total_seconds() + 1 + TOLERANCE_SECONDS
        assert [message.slot for message in people.channel.messages] == AFTER_STEP_1
