"""Who runs a verification: one worker at a time, and another takes over soon if it dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bot.core.background import BackgroundTasks
from bot.core.leases import LEASE
from bot.core.metrics import Metrics
from bot.onboarding.people import Actor, Role
from bot.onboarding.verifications import request_verification
from bot.verification.runner import VerificationRunner
from bot.verification.sender import Sender
from bot.verification.servicetitan import ServiceTitan
from storage import leases
from storage.changes import change
from storage.vault import Vault
from tests.background import wait_for_tasks
from tests.databases import ON_BOTH
from tests.integration.world import HeldEndpoint, World, from_now

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC)
EXTERNAL_ID = "heavyset-test-0123456789abcdef-2"
SHORT, LONG = timedelta(seconds=2), timedelta(hours=1)


@pytest.fixture
async def at_step_25(begun: World) -> World:
    await begun.walk_to(25)
    return begun


class Worker:
    """A worker that does nothing but verify."""

    def __init__(self, world: World, servicetitan: ServiceTitan, lease: timedelta) -> None:
        self._world, self.tasks = world, BackgroundTasks()
        bot, vault = world.bot, Vault(world.settings.keys)
        self._verifier = VerificationRunner(
            database=bot.database,
            vault=vault,
            servicetitan=servicetitan,
            wake_publisher=bot.publisher.wake,
            tasks=self.tasks,
            metrics=Metrics(),
            clock=lambda: datetime.now(UTC),
            worker=leases.Worker(f"test {id(self)}"),
            lease=lease,
        )

    async def start_due(self) -> None:
        """Start the runs that are due."""
        await self._verifier.sweep()

    async def finish(self) -> None:
        """Wait until all work is done, including publishing to the thread."""
        async with asyncio.timeout(20):
            await wait_for_tasks(self.tasks)
        await self._world.idle()


async def no_sleep(_seconds: float) -> None:
    """Skip the delay before a retry."""


@asynccontextmanager
async def running_worker(world: World, lease: timedelta = LEASE) -> AsyncIterator[Worker]:
    urls = world.servicetitan.auth_url, world.servicetitan.api_url
    async with httpx.AsyncClient() as http:
        client = ServiceTitan(Sender(http, sleep=no_sleep), auth_url=urls[0], api_url=urls[1])
        worker = Worker(world, client, lease)
        yield worker
        await worker.tasks.close(0)


async def request(world: World, booking: str | None = None) -> HeldEndpoint:
    """Request the final verification in the database, without waking the bot."""
    erin = Actor(world.erin.id, world.erin.team.id, Role.ENGINEER)
    await change(
        world.bot.database,
        world.onboarding,
        lambda at: request_verification(at, erin, datetime.now(UTC), booking),
    )
    return HeldEndpoint(world.servicetitan)


def lease_end(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT run_until FROM verification WHERE number = 2")


@ON_BOTH
async def test_a_dead_workers_lease_expires_within_seconds(at_step_25: World) -> None:
    servicetitan = await request(at_step_25)
    async with running_worker(at_step_25) as worker:
        await worker.start_due()
        await servicetitan.asked()

        [(end,)] = lease_end(at_step_25)

    assert end < from_now(seconds=10)


@ON_BOTH
async def test_a_slow_run_keeps_its_lease_by_renewing_it(at_step_25: World) -> None:
    servicetitan = await request(at_step_25)
    async with (
        running_worker(at_step_25, SHORT) as worker,
        running_worker(at_step_25, SHORT) as other,
    ):
        await worker.start_due()
        await servicetitan.asked()
        [(first,)] = lease_end(at_step_25)
        async with asyncio.timeout(20):
            while datetime.now(UTC) <= first + SHORT:
                await other.start_due()
                await other.finish()
                await asyncio.sleep(0.05)  # the worker renews its lease meanwhile

        servicetitan.answers()
        await worker.finish()

    token_requests = [
        request
        for request in at_step_25.servicetitan.requests
        if request.template == "/connect/token"
    ]
    assert len(token_requests) == 2  # the other one was made at step 22
    assert at_step_25.rows("SELECT status FROM onboarding") == [("completed",)]


async def test_a_worker_releases_its_lease_on_shutdown(at_step_25: World) -> None:
    servicetitan = await request(at_step_25)
    async with running_worker(at_step_25) as worker:
        await worker.start_due()
        await servicetitan.asked()

        await worker.tasks.close(0)

    assert lease_end(at_step_25) == [(None,)]


@ON_BOTH
async def test_a_worker_that_lost_its_lease_abandons_the_run(at_step_25: World) -> None:
    servicetitan = await request(at_step_25)
    async with running_worker(at_step_25, SHORT) as worker:
        await worker.start_due()
        await servicetitan.asked()

        at_step_25.write(
            "UPDATE verification SET run_owner = ?, run_until = ? WHERE number = 2",
            *("another", FAR_AHEAD),
        )
        await worker.finish()

    assert lease_end(at_step_25) == [(FAR_AHEAD,)]
    assert at_step_25.rows("SELECT report FROM verification WHERE number = 2") == [(None,)]


async def expire_lease(world: World) -> None:
    """Expire the lease of the running worker without its noticing."""
    world.write("UPDATE verification SET run_until = ? WHERE number = 2", LONG_AGO)


@ON_BOTH
async def test_a_run_finished_by_two_workers_is_recorded_once(at_step_25: World) -> None:
    servicetitan = await request(at_step_25)
    async with running_worker(at_step_25, LONG) as slow, running_worker(at_step_25) as fast:
        await slow.start_due()
        await servicetitan.asked()
        await expire_lease(at_step_25)
        at_step_25.servicetitan.fail("token", status=503)
        HeldEndpoint(at_step_25.servicetitan).answers()
        await fast.start_due()
        await fast.finish()
        at_step_25.servicetitan.heal()
        servicetitan.answers()
        await slow.finish()

    assert at_step_25.rows("SELECT number, attempt FROM verification ORDER BY number") == [
        (1, 1),
        (2, 1),
    ]
    assert len(at_step_25.events("verification_finished")) == 2
    assert at_step_25.message("verification:2").payload["outcome"] == "unknown"


@ON_BOTH
@pytest.mark.parametrize("endpoint", ["token", "create-booking"])
async def test_two_workers_create_only_one_test_booking(at_step_25: World, endpoint: str) -> None:
    await request(at_step_25, EXTERNAL_ID)
    servicetitan = HeldEndpoint(at_step_25.servicetitan, endpoint)
    async with running_worker(at_step_25, LONG) as slow, running_worker(at_step_25) as fast:
        await slow.start_due()
        await servicetitan.asked()
        await expire_lease(at_step_25)
        HeldEndpoint(at_step_25.servicetitan).answers()
        await fast.start_due()
        await fast.finish()
        servicetitan.answers()
        await slow.finish()

    [booking] = at_step_25.servicetitan.bookings
    assert booking.external_id == EXTERNAL_ID
    assert len(at_step_25.events("verification_finished")) == 2


async def test_a_run_that_raised_an_exception_is_not_retried_immediately(at_step_25: World) -> None:
    await request(at_step_25)
    worker = Worker(at_step_25, None, LEASE)  # type: ignore[arg-type]
    await worker.start_due()
    await worker.finish()

    [(end,)] = lease_end(at_step_25)
    assert end > from_now(minutes=4)
