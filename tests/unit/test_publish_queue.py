"""Whose turn it is: what somebody waits for goes first, the newest before all."""

import asyncio
import time

import pytest

from bot.core.background import BackgroundTasks
from bot.publishing.queue import BACKLOG_CONCURRENCY, CONCURRENCY, PublishQueue
from bot.slack.rate_limits import RateLimits


class Works:
    """Work that is finished by hand."""

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


async def test_only_few_are_at_work_and_the_newest_goes_first(works: Works) -> None:
    for name in [*MANY, "older", "newer"]:
        works.queue.push(name)
    await works.settled()
    assert works.begun == MANY

    await works.finish(MANY[3], MANY[5])

    assert works.begun[CONCURRENCY:] == ["newer", "older"]


async def test_who_is_called_again_while_at_work_is_worked_at_once_more(works: Works) -> None:
    works.queue.push("acme")
    await works.settled()
    for _ in range(3):
        works.queue.push("acme")
    await works.finish("acme")
    assert works.begun == ["acme", "acme"]

    await works.finish("acme")

    assert works.begun == ["acme", "acme"]


async def test_what_was_left_behind_comes_in_its_order_two_at_a_time(works: Works) -> None:
    works.queue.set_backlog(["new", "older", "oldest"])
    await works.settled()
    assert works.begun == ["new", "older"]
    assert len(works.begun) == BACKLOG_CONCURRENCY

    await works.finish("new")

    assert works.begun == ["new", "older", "oldest"]


async def test_who_presses_does_not_wait_for_what_was_left_behind(works: Works) -> None:
    works.queue.set_backlog(["new", "older", "oldest"])
    works.queue.push("pressed")
    await works.settled()

    assert works.begun == ["new", "older", "pressed"]


async def test_a_newer_look_takes_the_place_of_an_older_one(works: Works) -> None:
    works.queue.set_backlog(["a", "b", "c"])
    await works.settled()
    works.queue.set_backlog(["d", "c"])

    await works.finish("a", "b")

    assert works.begun == ["a", "b", "d", "c"]


async def test_who_comes_again_keeps_their_kind(works: Works) -> None:
    works.queue.set_backlog(["left", "behind", "later"])
    await works.settled()
    again = works.queue.retry("left")

    await works.finish("left")
    again("left")
    await works.finish("behind")

    assert works.begun == ["left", "behind", "later", "left"]
