"""The lease of a thread: whoever lost it lets go."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.announcements import Announcements
from bot.landmarks import Landmarks
from bot.metrics import Metrics
from bot.publisher import Publisher
from bot.tasks import Tasks
from bot.thread import Thread, Work
from storage import publishing
from tests.integration.world import World

FAR = datetime(2999, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


class Robbed(Thread):
    """A thread during whose levelling another worker takes the lease, as after a long pause."""

    def __init__(self, world: World) -> None:
        super().__init__(world.bot.slack, now)
        self._world = world
        self.levelled = 0

    async def level(self, work: Work, _write_down: Callable[[], Awaitable[None]]) -> None:
        self.levelled += 1
        async with self._world.bot.database.begin() as session:
            await publishing.take_lease(session, work.onboarding.id, "another", now=FAR, until=FAR)


async def test_a_publisher_that_lost_its_lease_lets_go(begun: World) -> None:
    database, tasks = begun.bot.database, Tasks()
    announcements = Announcements(begun.bot.slack, database, begun.engineering.id, now)
    thread = Robbed(begun)
    landmarks = Landmarks(begun.bot.slack, database, now)
    publisher = Publisher(
        database,
        begun.bot.shelf,
        thread,
        announcements,
        landmarks,
        tasks,
        Metrics(),
        begun.bot.slack.pace,
        now,
    )

    publisher.wake(begun.onboarding)
    async with asyncio.timeout(10):  # it would go on for ever
        await tasks.idle()

    assert thread.levelled == 1
    assert begun.rows("SELECT lease_owner FROM onboarding") == [("another",)]


async def test_a_publisher_that_lost_its_lease_announces_nothing(begun: World) -> None:
    begun.write("UPDATE event SET announced_ts = NULL, announcing_since = NULL")
    database, tasks = begun.bot.database, Tasks()
    announcements = Announcements(begun.bot.slack, database, begun.engineering.id, now)
    landmarks = Landmarks(begun.bot.slack, database, now)
    publisher = Publisher(
        database,
        begun.bot.shelf,
        Robbed(begun),
        announcements,
        landmarks,
        tasks,
        Metrics(),
        begun.bot.slack.pace,
        now,
    )

    publisher.wake(begun.onboarding)
    await tasks.idle()

    assert len(begun.announced) == 1


async def test_the_thread_of_a_dead_worker_does_not_wait_for_leisure(begun: World) -> None:
    for _ in range(100):
        begun.bot.slack.pace.made("chat.update")  # as of a worker that has much to do
    begun.write(
        "UPDATE onboarding SET revision = revision + 1, lease_owner = ?, lease_until = ?",
        *("dead", now()),
    )

    await begun.bot.sweep()
    await begun.idle()

    assert begun.rows("SELECT revision - published_revision FROM onboarding") == [(0,)]
