"""Repeated presses don't make an outage worse, and publishing resumes once Slack responds."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from sandbox.slack import Channel, Trouble
from tests import virtual_time
from tests.integration.world import World, running_world
from tests.virtual_time import Clock, use_clock_for_signatures

Scenario = Callable[[World], Awaitable[None]]


def run_scenario(directory: Path, patch: pytest.MonkeyPatch, scenario: Scenario) -> None:
    """Start an onboarding, and run the scenario on it in virtual time."""

    async def run(clock: Clock) -> None:
        use_clock_for_signatures(clock, patch)
        monotonic = asyncio.get_running_loop().time
        async with running_world(
            directory, clock=clock, monotonic=monotonic, sweep_interval=5
        ) as world:
            await world.begin()
            await asyncio.sleep(60)
            await scenario(world)

    virtual_time.run(run)


async def press(world: World, times: int, within: float, channel: Channel | None = None) -> None:
    """Press the first step's button `times` times, spread over `within` seconds."""
    step = world.message("step:1", channel).snapshot()
    for number in range(times):
        if number:
            await asyncio.sleep(within / times)
        assert (await world.ann.press(step, "choose_account:new")).ack.ok


async def seconds_until_shown(world: World, slot: str, channel: Channel | None = None) -> float:
    """Return how many seconds pass until a message is there."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await world.slack.until(partial(world.find, slot, channel), 120)
    return loop.time() - began


@pytest.mark.parametrize("times", [1, 6])
def test_repeated_presses_during_an_outage_do_not_delay_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    async def scenario(world: World) -> None:
        began = asyncio.get_running_loop().time()
        world.slack.outage(troubles=[Trouble.UNAVAILABLE], performed=0.0, lasts=4)
        await press(world, times, within=3.5)
        await asyncio.sleep(began + 4 - asyncio.get_running_loop().time())

        assert await seconds_until_shown(world, "step:2") < 2.5

    run_scenario(tmp_path, monkeypatch, scenario)


def test_recovery_is_quick_after_a_rate_limit_followed_by_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(world: World) -> None:
        world.slack.fail_next("chat.postMessage", retry_after=1)
        await press(world, 1, 0)
        await world.idle()
        world.slack.outage(
            troubles=[Trouble.INTERNAL_ERROR],
            methods={"chat.postMessage", "chat.update"},
            performed=0.0,
            lasts=5,
        )

        assert await seconds_until_shown(world, "step:2") < 5 + 2.5

    run_scenario(tmp_path, monkeypatch, scenario)


def test_two_rate_limited_channels_do_not_delay_a_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(world: World) -> None:
        channels = [world.slack.add_channel(f"c{n}", world.erin, world.ann) for n in range(3)]
        for channel in channels:
            await world.begin(f"Client of {channel.name}", channel)
            await asyncio.sleep(60)
        full = {channel.id for channel in channels[:2]}
        world.slack.fail_next(
            "chat.postMessage",
            retry_after=8,
            times=2,
            predicate=lambda arguments: arguments["channel"] in full,
        )
        for channel in channels:
            await press(world, 1, 0, channel)

        assert await seconds_until_shown(world, "step:2", channels[2]) < 1
        assert await seconds_until_shown(world, "step:2", channels[0]) < 10

    run_scenario(tmp_path, monkeypatch, scenario)


def test_the_first_success_after_an_outage_resumes_every_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(world: World) -> None:
        channels = [world.slack.add_channel(f"c{n}", world.erin, world.ann) for n in range(5)]
        for channel in channels:
            await world.begin(f"Client of {channel.name}", channel)
            await asyncio.sleep(15)
        outage = world.slack.outage(troubles=[Trouble.UNAVAILABLE], performed=0.0)
        for channel in channels:
            await press(world, 1, 0, channel)
        await asyncio.sleep(120)
        outage.end()
        await press(world, 1, 0)  # in another thread, for which Slack now responds

        for channel in [world.channel, *channels]:
            assert await seconds_until_shown(world, "step:2", channel) < 2

    run_scenario(tmp_path, monkeypatch, scenario)


def test_a_failing_thread_is_not_retried_whenever_another_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(world: World) -> None:
        other = world.slack.add_channel("other", world.erin, world.ann)
        await world.begin("Other", other)
        failing = world.channel.id
        world.slack.fail_next(
            "chat.postMessage",
            error="internal_error",
            times=999,
            predicate=lambda arguments: arguments["channel"] == failing,
        )
        await press(world, 1, 0)
        await world.ann.press(world.message("step:1", other), "choose_account:new")
        for number in range(2, 10):
            await asyncio.sleep(40)
            pressed = await world.ann.press(world.message(f"step:{number}", other), "step_done")
            assert pressed.ack.ok
        await asyncio.sleep(60)

        calls = world.slack.calls_of("chat.postMessage")
        assert sum(call.arguments["channel"] == failing for call in calls) - 3 < 25

    run_scenario(tmp_path, monkeypatch, scenario)


def test_a_rate_limited_announcement_is_not_looked_up_before_the_retry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(world: World) -> None:
        engineering = world.engineering.id
        world.slack.fail_next(
            "chat.postMessage",
            retry_after=2,
            times=3,
            predicate=lambda arguments: arguments["channel"] == engineering,
        )
        await world.ann.press(world.message("step:1"), "step_help")
        await world.slack.until(lambda: world.ann.view)
        await world.ann.submit(world.view_of(world.ann), {"question": "Which portal?"})
        await world.slack.until(lambda: "Which portal?" in world.announced[-1] or None, 60)

        assert not world.slack.calls_of("conversations.history")
        assert not world.slack.calls_of("conversations.replies")

    run_scenario(tmp_path, monkeypatch, scenario)
