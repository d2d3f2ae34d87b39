"""Workers with clock skew: PostgreSQL's clock decides who works on what."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bot.app.bot import Bot
from tests.background import wait_for_tasks
from tests.databases import ON_POSTGRESQL
from tests.integration.world import HeldEndpoint, World, hold_calls, now

pytestmark = pytest.mark.slow_slack

# Within a lease, and beyond its end.
each_skew = pytest.mark.parametrize(
    "seconds", [60, -60, *(pytest.param(skew, marks=pytest.mark.long) for skew in (10, -10))]
)


def skewed_clock(seconds: int) -> Callable[[], datetime]:
    """A clock that is that many seconds ahead."""
    return lambda: now() + timedelta(seconds=seconds)


async def wait_until_claimed(world: World, slot: str) -> None:
    """Wait until a worker has claimed the slot."""
    async with asyncio.timeout(20):
        while not world.rows("SELECT 1 FROM message WHERE slot = ?", slot):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def wait_until_both_idle(world: World, other: Bot) -> None:
    for _ in range(2):
        await world.idle()
        await wait_for_tasks(other.tasks)


@ON_POSTGRESQL
@each_skew
@pytest.mark.parametrize("first", [True, False], ids=["ours", "theirs"])
async def test_workers_with_clock_skew_post_nothing_twice(
    begun: World, seconds: int, first: bool
) -> None:
    async with begun.second_bot(skewed_clock(seconds)) as other:
        busy, idle = (begun.bot, other) if first else (other, begun.bot)
        begun.slack.deliver_to(f"http://127.0.0.1:{busy.settings.port}/slack/events")
        async with hold_calls(begun.slack, "chat.postMessage"):
            await begun.ann.press(begun.message("step:1"), "choose_account:new")
            await wait_until_claimed(begun, "step:2")
            for _ in range(5):
                await idle.sweep()
                await asyncio.sleep(0.05)
        await wait_until_both_idle(begun, other)

    assert begun.slots().count("step:2") == 1
    await begun.assert_consistent()


@ON_POSTGRESQL
@each_skew
async def test_a_verification_runs_once_despite_clock_skew(begun: World, seconds: int) -> None:
    await begun.walk_to(22)
    servicetitan = HeldEndpoint(begun.servicetitan)
    async with begun.second_bot(skewed_clock(seconds)) as other:
        form = await begun.ann.press(begun.message("step:22"), "enter_credentials")
        assert form.ack.ok
        await begun.idle()
        view = begun.view_of(begun.ann)
        await begun.ann.submit(view, dict(begun.servicetitan.credentials))
        await servicetitan.asked()
        for _ in range(5):
            await other.sweep()
            await asyncio.sleep(0.05)
        servicetitan.answers()
        await wait_until_both_idle(begun, other)

    token_requests = [
        request for request in begun.servicetitan.requests if request.template == "/connect/token"
    ]
    assert len(token_requests) == 1
    assert begun.message("verification:1").payload["outcome"] == "passed"


@ON_POSTGRESQL
@each_skew
async def test_a_bookmark_is_added_once_despite_clock_skew(world: World, seconds: int) -> None:
    async with world.second_bot(skewed_clock(seconds)) as other:
        async with hold_calls(world.slack, "bookmarks.add"):
            await world.type("start Acme Plumbing")
            await world.erin.submit(world.view_of(world.erin))
            await wait_until_claimed(world, "bookmark:root")
            other.publisher.wake(world.onboarding)
            await asyncio.sleep(0.3)
        await wait_until_both_idle(world, other)

    assert len(world.channel.bookmarks) == 1


@ON_POSTGRESQL
async def test_startup_warns_about_clock_skew(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with world.second_bot(skewed_clock(10)) as other:
            await wait_for_tasks(other.tasks)
            assert "clock: 10 s ahead of the database's" in other.health.warnings
        async with world.second_bot(skewed_clock(-60)) as other:
            await wait_for_tasks(other.tasks)
            assert "clock: 60 s behind the database's" in other.health.warnings

    assert "10 s ahead of the database's: set this machine's clock (NTP)" in caplog.messages
    await world.bot.sweep()
    await world.idle()
    assert world.bot.health.warnings == []
