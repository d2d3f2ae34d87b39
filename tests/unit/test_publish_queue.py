"""Publishing order: awaited onboardings first, newest before all; then the backlog."""

import asyncio
import time

import pytest

from bot.core.background import BackgroundTasks
from bot.publishing.queue import BACKLOG_CONCURRENCY, CONCURRENCY, PublishQueue
from bot.slack.rate_limits import RateLimits


class Works:
    """Publishing jobs that finish only when the test says so."""

    def __init__(self) -> None:
        self.tasks, self.begun = BackgroundTasks(), list[str]()
        self._doors: dict[str, asyncio.Event] = {}
        self.queue = PublishQueue(self._work, self.tasks, RateLimits(time.monotonic))

    async def _work(self, one: str) -> None:
        self.begun.append(one)
        self._doors[one] = asyncio.Event()
        await self._doors[one].wait()

    async def finish(self, *names: str) -> None:
        for name in names:
            self._doors[name].set()
        await self.settled()

    async def settled(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
def works() -> Works:
    return Works()


MANY = [f"one {number}" for number in range(CONCURRENCY)]


async def test_concurrency_is_limited_and_the_newest_goes_first(works: Works) -> None:
    for name in [*MANY, "older", "newer"]:
        works.queue.push(name)
    await works.settled()
    assert works.begun == MANY

    await works.finish(MANY[3], MANY[5])

    assert works.begun[CONCURRENCY:] == ["newer", "older"]


async def test_pushes_during_a_run_cause_exactly_one_more_run(works: Works) -> None:
    works.queue.push("acme")
    await works.settled()
    for _ in range(3):
        works.queue.push("acme")
    await works.finish("acme")
    assert works.begun == ["acme", "acme"]

    await works.finish("acme")

    assert works.begun == ["acme", "acme"]


async def test_the_backlog_runs_in_order_two_at_a_time(works: Works) -> None:
    works.queue.set_backlog(["new", "older", "oldest"])
    await works.settled()
    assert works.begun == ["new", "older"]
    assert len(works.begun) == BACKLOG_CONCURRENCY

    await works.finish("new")

    assert works.begun == ["new", "older", "oldest"]


async def test_an_awaited_onboarding_does_not_wait_for_the_backlog(works: Works) -> None:
    works.queue.set_backlog(["new", "older", "oldest"])
    works.queue.push("pressed")
    await works.settled()

    assert works.begun == ["new", "older", "pressed"]


async def test_a_new_backlog_replaces_the_old_one(works: Works) -> None:
    works.queue.set_backlog(["a", "b", "c"])
    await works.settled()
    works.queue.set_backlog(["d", "c"])

    await works.finish("a", "b")

    assert works.begun == ["a", "b", "d", "c"]


async def test_a_retried_backlog_entry_goes_back_to_the_backlog(works: Works) -> None:
    works.queue.set_backlog(["left", "behind", "later"])
    await works.settled()
    again = works.queue.retry("left")

    await works.finish("left")
    again("left")
    await works.finish("behind")

    assert works.begun == ["left", "behind", "later", "left"]
