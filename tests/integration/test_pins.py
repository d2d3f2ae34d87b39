"""The thread is easy to find: pinned and bookmarked once, without ever delaying the thread."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.background import wait_for_tasks
from tests.integration.world import World, from_now, hold_calls

pytestmark = [pytest.mark.slow_slack, pytest.mark.virtual_time]

THREAD = ["root", "welcome", "step:1"]


def pinned(world: World) -> list[str]:
    return world.channel.pins


def bookmarked(world: World) -> list[str]:
    return [bookmark["link"] for bookmark in world.channel.bookmarks]


async def change_thread(world: World) -> None:
    """Have something happen in the thread, as if a while had passed."""
    world.write("UPDATE message SET posting_since = ? WHERE ts IS NULL", from_now(days=-1))
    await world.press(world.ann, "step:1", "choose_account:new")


async def test_the_first_message_is_pinned_and_the_thread_bookmarked(begun: World) -> None:
    root = begun.message("root").ts

    assert pinned(begun) == [root]
    [link] = bookmarked(begun)
    assert f"/archives/{begun.channel.id}/p{root.replace('.', '')}" in link
    assert "Acme Plumbing" in begun.channel.bookmarks[0]["title"]


async def test_pinning_and_bookmarking_take_one_call_each_and_none_per_step(begun: World) -> None:
    before = len(begun.slack.calls)

    await begun.press(begun.ann, "step:1", "choose_account:new")
    await begun.press(begun.ann, "step:2", "step_done")
    await begun.bot.sweep()
    await begun.idle()

    methods = [call.method for call in begun.slack.calls]
    assert methods[before:].count("pins.add") == methods[before:].count("bookmarks.add") == 0
    assert methods.count("pins.add") == methods.count("bookmarks.add") == 1


@pytest.mark.parametrize("held_method", ["pins.add", "bookmarks.add"])
async def test_the_thread_does_not_wait_for_its_pin_or_bookmark(
    world: World, held_method: str
) -> None:
    async with hold_calls(world.slack, held_method):
        await world.erin.command(world.channel, "/servicetitan", "start Acme Plumbing")
        await world.erin.submit(world.view_of(world.erin))
        await world.slack.until(lambda: world.slots() == THREAD)

        await world.ann.press(world.message("step:1"), "choose_account:new")
        await world.slack.until(lambda: world.find("step:2"))

        assert (pinned(world) if held_method == "pins.add" else bookmarked(world)) == []
    await world.idle()
    await world.press(world.ann, "step:2", "step_done")

    assert pinned(world) == [world.message("root").ts]
    assert len(bookmarked(world)) == 1


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("pins.add", "missing_scope"),
        ("pins.add", "not_pinnable"),
        ("pins.add", "too_many_pins"),
        ("pins.add", "restricted_action"),
        ("bookmarks.add", "missing_scope"),
        ("bookmarks.add", "too_many_bookmarks"),
        ("bookmarks.add", "permission_denied"),
    ],
)
async def test_a_rejected_pin_or_bookmark_is_not_retried(
    world: World, method: str, code: str
) -> None:
    world.slack.fail_next(method, error=code)

    await world.begin()
    await change_thread(world)

    assert world.slots() == [*THREAD, "step:2"]
    assert len(world.slack.calls_of(method)) == 1
    assert len(world.announced) == 1
    assert (pinned(world) == []) == (method == "pins.add")
    assert (bookmarked(world) == []) == (method == "bookmarks.add")


async def test_without_the_optional_scopes_everything_else_works(world: World) -> None:
    world.slack.admin.decline("pins:write", "bookmarks:write", "bookmarks:read")

    await world.begin()
    await world.walk_to(3)

    assert (pinned(world), bookmarked(world)) == ([], [])
    assert world.current == 3


FAULTS: list[Mapping[str, Any]] = [
    {"status": 503},
    {"status": 503, "performed": True},
    {"drop": True},
    {"drop": True, "performed": True},
]


@pytest.mark.parametrize("method", ["pins.add", "bookmarks.add"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_lost_pin_or_bookmark_is_added_once_by_the_next_change(
    world: World, method: str, fault: Mapping[str, Any]
) -> None:
    world.slack.fail_next(method, **fault)
    await world.begin()
    assert world.slots() == THREAD

    await change_thread(world)

    assert pinned(world) == [world.message("root").ts]
    assert len(bookmarked(world)) == 1


async def test_a_possibly_added_bookmark_is_not_retried_without_read_scope(world: World) -> None:
    world.slack.admin.decline("bookmarks:read")
    world.slack.fail_next("bookmarks.add", drop=True, performed=True)
    await world.begin()

    await change_thread(world)

    assert len(bookmarked(world)) == 1
    assert len(world.slack.calls_of("bookmarks.add")) == 1


async def test_two_workers_pin_and_bookmark_once(world: World) -> None:
    async with world.second_bot() as other:
        await world.begin()
        other.publisher.wake(world.onboarding)
        await wait_for_tasks(other.tasks)
        await change_thread(world)

    assert len(world.slack.calls_of("pins.add")) == 1
    assert len(bookmarked(world)) == 1


async def test_a_failed_pin_is_not_retried_after_cancellation(world: World) -> None:
    world.slack.fail_next("pins.add", status=503)
    await world.begin()

    await world.type("cancel")
    await world.submit(world.erin, world.view_of(world.erin), reason="They changed their mind.")

    assert pinned(world) == []
    assert len(bookmarked(world)) == 1
