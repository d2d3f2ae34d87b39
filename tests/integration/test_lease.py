"""Thread leases: a worker that has lost its lease stops updating the thread."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import update

from bot.app.running import running
from bot.core.background import BackgroundTasks
from bot.core.leases import LEASE
from bot.core.metrics import Metrics
from bot.publishing.announcements import Announcements
from bot.publishing.pins import Pins
from bot.publishing.publisher import Publisher
from bot.publishing.thread import Thread, ThreadUpdate
from storage import thread_leases
from storage.leases import SILENT, Worker
from storage.tables import OnboardingRow
from tests.background import wait_for_tasks
from tests.databases import ON_BOTH, ON_SQLITE, SqliteFile
from tests.integration.world import World, hold_calls, running_world

pytestmark = [pytest.mark.slow_slack, ON_BOTH]

FAR_FUTURE = datetime(2999, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


class ThreadLosingLease(Thread):
    """A thread whose lease another worker takes mid-update, as after a long pause."""

    def __init__(self, world: World) -> None:
        super().__init__(world.bot.slack, world.bot.pictures, now)
        self._world = world
        self.updated = 0

    async def apply(self, _update: ThreadUpdate, _save: Callable[[], Awaitable[None]]) -> None:
        self.updated += 1
        async with self._world.bot.database.begin() as session:
            await session.exec(
                update(OnboardingRow).values(lease_owner="another", lease_until=FAR_FUTURE)
            )


async def test_a_publisher_that_lost_its_lease_stops_updating(begun: World) -> None:
    database, tasks = begun.bot.database, BackgroundTasks()
    announcements = Announcements(
        slack=begun.bot.slack, database=database, channel=begun.engineering.id, clock=now
    )
    thread = ThreadLosingLease(begun)
    pins = Pins(begun.bot.slack, database)
    publisher = Publisher(
        database=database,
        thread=thread,
        announcements=announcements,
        pins=pins,
        tasks=tasks,
        metrics=Metrics(),
        rate_limits=begun.bot.slack.rate_limits,
        clock=now,
        worker=Worker("here"),
    )

    publisher.wake(begun.onboarding)
    async with asyncio.timeout(20):  # otherwise it would loop forever
        await wait_for_tasks(tasks)

    assert thread.updated == 1
    assert begun.rows("SELECT lease_owner FROM onboarding") == [("another",)]


async def test_a_publisher_that_lost_its_lease_announces_nothing(begun: World) -> None:
    begun.write("UPDATE event SET announced_ts = NULL, announcing_since = NULL")
    database, tasks = begun.bot.database, BackgroundTasks()
    announcements = Announcements(
        slack=begun.bot.slack, database=database, channel=begun.engineering.id, clock=now
    )
    pins = Pins(begun.bot.slack, database)
    publisher = Publisher(
        database=database,
        thread=ThreadLosingLease(begun),
        announcements=announcements,
        pins=pins,
        tasks=tasks,
        metrics=Metrics(),
        rate_limits=begun.bot.slack.rate_limits,
        clock=now,
        worker=Worker("here"),
    )

    publisher.wake(begun.onboarding)
    await wait_for_tasks(tasks)

    assert len(begun.announced) == 1


async def test_a_dead_workers_thread_is_updated_even_when_the_bot_is_busy(begun: World) -> None:
    for _ in range(100):
        begun.bot.slack.rate_limits.made("chat.update")  # as if the worker were busy
    begun.write(
        "UPDATE onboarding SET revision = revision + 1, lease_owner = ?, lease_until = ?",
        *("dead", now()),
    )

    await begun.bot.sweep()
    await begun.idle()

    assert begun.rows("SELECT revision - published_revision FROM onboarding") == [(0,)]


async def take_lease(world: World, worker: Worker) -> bool:
    async with world.bot.database.begin() as session:
        return bool(await thread_leases.take(session, world.onboarding, worker))


def backdate_renewal(world: World, ago: timedelta) -> None:
    """Make it look as if the lease was last renewed that long `ago`."""
    world.write("UPDATE onboarding SET lease_until = ?", now() + LEASE - ago)


async def test_a_restarted_process_takes_the_lease_once_the_old_one_is_silent(
    begun: World,
) -> None:
    earlier, later, stranger = Worker("here:3000"), Worker("here:3000"), Worker("here:300")
    assert await take_lease(begun, earlier)
    assert [await take_lease(begun, worker) for worker in (later, stranger)] == [False, False]

    backdate_renewal(begun, SILENT + timedelta(seconds=0.1))

    assert not await take_lease(begun, stranger)
    assert await take_lease(begun, later)
    async with begun.bot.database.begin() as session:
        assert not await thread_leases.prolong(session, begun.onboarding, earlier)


async def test_a_worker_can_retake_its_own_lease(begun: World) -> None:
    worker = Worker("here")
    assert await take_lease(begun, worker)
    assert await take_lease(begun, worker)


@ON_SQLITE
async def test_a_second_process_on_sqlite_takes_no_leases_from_the_first(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with hold_calls(begun.slack, "chat.postMessage"):
        await begun.ann.press(begun.message("step:1"), "choose_account:new")
        await asyncio.sleep(0.1)
        async with begun.second_bot() as other:
            await asyncio.wait_for(wait_for_tasks(other.tasks), 20)
    await begun.idle()

    assert begun.slots().count("step:2") == 1
    assert "another process uses this database; running several needs PostgreSQL" in caplog.messages


async def test_a_lone_process_on_sqlite_releases_the_leases_of_a_dead_one(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        await world.begin()
        settings, path = world.settings, SqliteFile(tmp_path)
    far = now() + timedelta(days=1)
    path.write("UPDATE onboarding SET lease_owner = 'dead', lease_until = ?", far)

    async with running(settings) as bot:
        bot.working.cancel()

    assert path.rows("SELECT lease_owner, lease_until FROM onboarding") == [(None, None)]
