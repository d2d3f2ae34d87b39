"""Publishing order: awaited onboardings first, newest before all; then the backlog."""

import asyncio
import time

import pytest

from bot.core.background import BackgroundTasks
from bot.publishing.queue import BACKLOG_CONCURRENCY, CONCURRENCY, PublishQueue
from bot.slack.rate_limits import RateLimits


class Jobs:
    """Publishing jobs that finish only when the test says so."""

    def __init__(self) -> None:
        self.tasks, self.begun = BackgroundTasks(), list[str]()
        self._may_finish: dict[str, asyncio.Event] = {}
        self.queue = PublishQueue(self._work, self.tasks, RateLimits(time.monotonic))

    async def _work(self, name: str) -> None:
        self.begun.append(name)
        self._may_finish[name] = asyncio.Event()
        await self._may_finish[name].wait()

    async def finish(self, *names: str) -> None:
        for name in names:
            self._may_finish[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


MANY = [f"job {number}" for number in range(CONCURRENCY)]


async def test_concurrency_is_limited_and_the_newest_goes_first(jobs: Jobs) -> None:
    for name in [*MANY, "older", "newer"]:
        jobs.queue.push(name)
    await jobs.settle()
    assert jobs.begun == MANY

    await jobs.finish(MANY[3], MANY[5])

    assert jobs.begun[CONCURRENCY:] == ["newer", "older"]


async def test_pushes_during_a_run_cause_exactly_one_more_run(jobs: Jobs) -> None:
    jobs.queue.push("acme")
    await jobs.settle()
    for _ in range(3):
        jobs.queue.push("acme")
    await jobs.finish("acme")
    assert jobs.begun == ["acme", "acme"]

    await jobs.finish("acme")

    assert jobs.begun == ["acme", "acme"]


async def test_the_backlog_runs_in_order_two_at_a_time(jobs: Jobs) -> None:
    jobs.queue.set_backlog(["new", "older", "oldest"])
    await jobs.settle()
    assert jobs.begun == ["new", "older"]
    assert len(jobs.begun) == BACKLOG_CONCURRENCY

    await jobs.finish("new")

    assert jobs.begun == ["new", "older", "oldest"]


async def test_an_awaited_onboarding_does_not_wait_for_the_backlog(jobs: Jobs) -> None:
    jobs.queue.set_backlog(["new", "older", "oldest"])
    jobs.queue.push("pressed")
    await jobs.settle()

    assert jobs.begun == ["new", "older", "pressed"]


async def test_a_new_backlog_replaces_the_old_one(jobs: Jobs) -> None:
    jobs.queue.set_backlog(["a", "b", "c"])
    await jobs.settle()
    jobs.queue.set_backlog(["d", "c"])

    await jobs.finish("a", "b")

    assert jobs.begun == ["a", "b", "d", "c"]


async def test_a_retried_backlog_entry_goes_back_to_the_backlog(jobs: Jobs) -> None:
    jobs.queue.set_backlog(["left", "behind", "later"])
    await jobs.settle()
    again = jobs.queue.retry("left")

    await jobs.finish("left")
    again("left")
    await jobs.finish("behind")

    assert jobs.begun == ["left", "behind", "later", "left"]
