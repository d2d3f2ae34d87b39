"""Slack errors that are temporary or unknown are not treated as permanent right away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.background import wait_for_tasks
from tests.crash.final_state import assert_no_duplicates
from tests.crash.people import People
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World, last_reply
from tests.outages.test_outages import advance_by_minutes
from tests.outages.time_lapse import TimeLapse, time_lapse

pytestmark = pytest.mark.virtual_time

MINUTE = timedelta(minutes=1)
# One of each kind; tests/unit/test_slack_errors.py has them all.
TEMPORARY = ["external_channel_migrating", "service_unavailable", "ratelimit"]
UNKNOWN: list[dict[str, Any]] = [{"error": "some_future_error"}, {"status": 501}]


@asynccontextmanager
async def begun(
    database: AnyDatabase, patch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[People, TimeLapse]]:
    async with time_lapse(database, patch) as (people, lapse):
        await people.begin()
        await people.wait_until_caught_up()
        yield people, lapse


def refuse(people: People, **fault: Any) -> None:
    """Make Slack refuse every post and edit in the client's channel."""

    def in_the_thread(arguments: dict[str, Any]) -> bool:
        return bool(arguments["channel"] == people.channel.id)

    for method in ("chat.postMessage", "chat.update"):
        people.slack.fail_next(method, times=9999, predicate=in_the_thread, **fault)


def status(people: People) -> str:
    [(status,)] = people.bot.database.rows("SELECT status FROM onboarding")
    return str(status)


def attempts(people: People) -> int:
    calls = people.slack.calls_of("chat.postMessage")
    return sum(call.arguments.get("channel") == people.channel.id for call in calls)


@ON_SQLITE
@pytest.mark.parametrize("code", TEMPORARY)
async def test_a_temporary_slack_error_is_retried_until_it_clears(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    async with begun(database, monkeypatch) as (people, lapse):
        refuse(people, error=code)
        before = attempts(people)
        await people.ann.press(people.step_message(1), "choose_account:new")
        # By then, an unknown error would count as permanent.
        await advance_by_minutes(lapse, 15 * MINUTE)
        assert status(people) == "active"
        assert attempts(people) - before < 20

        people.slack.heal()
        await advance_by_minutes(lapse, 6 * MINUTE)

        assert people.message("step:2")
        assert_no_duplicates(people)


@ON_SQLITE
@pytest.mark.parametrize("fault", UNKNOWN, ids=str)
async def test_an_unknown_error_is_retried_for_minutes_before_pausing(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    async with begun(database, monkeypatch) as (people, lapse):
        refuse(people, **fault)
        before = attempts(people)
        await people.ann.press(people.step_message(1), "choose_account:new")
        await advance_by_minutes(lapse, 2 * MINUTE)
        assert status(people) == "active"
        assert attempts(people) - before > 1

        await advance_by_minutes(lapse, 8 * MINUTE)

        assert status(people) == "paused"
        assert attempts(people) - before < 20
        announcement = people.engineering.messages[-1].text
        assert fault.get("error", f"http_{fault.get('status')}") in announcement


@ON_SQLITE
async def test_an_unknown_error_that_clears_does_not_pause_the_onboarding(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with begun(database, monkeypatch) as (people, lapse):
        for number in (1, 2):  # the second has a grace period of its own
            refuse(people, error="some_future_error")
            action = "choose_account:new" if number == 1 else "step_done"
            await people.ann.press(people.step_message(number), action)
            await advance_by_minutes(lapse, 3 * MINUTE)
            people.slack.heal()
            await advance_by_minutes(lapse, 3 * MINUTE)

            assert status(people) == "active"
            assert people.message(f"step:{number + 1}")


async def test_a_restart_keeps_the_grace_period_of_an_unknown_error(
    begun: World,
) -> None:
    begun.slack.fail_next("chat.postMessage", error="some_future_error", times=99)
    await begun.press(begun.ann, "step:1", "choose_account:new")

    async with begun.second_bot() as bot:
        await begun.catch_up()
        await wait_for_tasks(bot.tasks)
        assert begun.rows("SELECT status FROM onboarding") == [("active",)]
        begun.write("UPDATE onboarding SET refused_since = ?", "2020-01-01 00:00:00.000000")
        await begun.catch_up()
        await wait_for_tasks(bot.tasks)

    assert begun.rows("SELECT status, loss FROM onboarding") == [("paused", "refused")]


@ON_SQLITE
async def test_the_thread_catches_up_after_its_channel_becomes_shared(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with begun(database, monkeypatch) as (people, lapse):
        people.channel.is_migrating = True
        await people.ann.press(people.step_message(1), "choose_account:new")
        await advance_by_minutes(lapse, 15 * MINUTE)
        assert status(people) == "active"

        people.channel.is_migrating = False
        await advance_by_minutes(lapse, 6 * MINUTE)

        assert people.message("step:2")


@ON_SQLITE
async def test_moving_a_workspace_into_an_organization_only_delays_posts(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with begun(database, monkeypatch) as (people, lapse):
        people.slack.admin.move_workspace()
        await people.ann.press(people.step_message(1), "choose_account:new")
        await advance_by_minutes(lapse, 30 * MINUTE)
        people.slack.admin.move_workspace(is_over=True)
        await advance_by_minutes(lapse, 6 * MINUTE)

        assert people.message("step:2")
        assert_no_duplicates(people)


async def test_startup_waits_out_a_workspace_migration(begun: World) -> None:
    begun.slack.fail_next("auth.test", error="org_login_required")
    begun.slack.fail_next("auth.test", error="some_future_error")

    async with begun.second_bot() as bot:
        assert not bot.working.done()


async def test_a_private_reply_uses_its_fallback_while_the_channel_migrates(begun: World) -> None:
    begun.channel.is_migrating = True

    root = begun.message("root")
    await begun.ann.press_raw(root, "step_done", f"{begun.onboarding}:23")
    await begun.idle()

    assert last_reply(begun.ann)


@pytest.mark.parametrize("method", ["pins.add", "bookmarks.add"])
async def test_a_temporarily_refused_pin_or_bookmark_is_added_later(
    world: World, method: str
) -> None:
    world.slack.fail_next(method, error="external_channel_migrating")
    world.slack.fail_next(method, error="some_future_error")
    await world.begin()
    for number in (1, 2):
        action = "choose_account:new" if number == 1 else "step_done"
        await world.press(world.ann, f"step:{number}", action)

    assert len(world.slack.calls_of(method)) == 3
    assert len(world.channel.pins) == len(world.channel.bookmarks) == 1


@pytest.mark.parametrize("method", ["pins.add", "bookmarks.add"])
@pytest.mark.parametrize("fault", [{"status": 501}, {"error": "unknown_method"}], ids=str)
async def test_an_unsupported_pin_or_bookmark_method_is_given_up_on(
    world: World, method: str, fault: dict[str, Any]
) -> None:
    world.slack.fail_next(method, times=99, **fault)
    await world.begin()
    for number in range(1, 7):
        action = "choose_account:new" if number == 1 else "step_done"
        await world.press(world.ann, f"step:{number}", action)

    assert len(world.slack.calls_of(method)) == 3
    assert world.current == 7


@ON_SQLITE
@pytest.mark.parametrize("code", ["external_channel_migrating", "some_future_error"])
async def test_a_temporarily_refused_announcement_is_posted_soon_afterward(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    async with begun(database, monkeypatch) as (people, lapse):
        in_engineering = people.engineering.id
        people.slack.fail_next(
            "chat.postMessage",
            error=code,
            times=9999,
            predicate=lambda arguments: arguments["channel"] == in_engineering,
        )
        await people.open_form(people.ann, 1, "step_help")
        assert people.ann.view
        await people.ann.submit(people.ann.view, {"question": "Where?"})
        await advance_by_minutes(lapse, 2 * MINUTE)
        assert "needs help" not in people.engineering.messages[-1].text

        people.slack.heal()
        await advance_by_minutes(lapse, 4 * MINUTE)

        assert "needs help" in people.engineering.messages[-1].text
        assert not people.slack.calls_of("conversations.history")
