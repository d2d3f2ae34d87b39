"""Credentials of an inactive onboarding: engineering is asked first, then they are deleted."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from freezegun import freeze_time

from sandbox.slack import Message
from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import World, last_reply, running_world

RETAIN = timedelta(days=30)
DAY = timedelta(days=1)
NEVER = 315360000


@dataclass
class InactiveClient:
    world: World
    clock: Any

    async def pass_time(self, time: timedelta) -> None:
        """Advance the clock, and run two sweeps."""
        self.clock.tick(time)
        for _ in range(2):
            await self.world.bot.sweep()
            await self.world.idle()

    @property
    def stored(self) -> int:
        return len(self.world.rows("SELECT field FROM credential"))

    def questions(self) -> list[Message]:
        return [
            message for message in self.world.engineering.messages if "hasn't moved" in message.text
        ]


@pytest.fixture
def clock() -> Iterator[Any]:
    with freeze_time("2026-11-16 15:00", real_asyncio=True) as clock:
        yield clock


@pytest.fixture
async def inactive(clock: Any, database: AnyDatabase) -> AsyncIterator[InactiveClient]:
    async with running_world(database, remind_after=NEVER, escalate_after=NEVER) as world:
        await world.begin()
        yield InactiveClient(world, clock)


@ON_BOTH
async def test_engineering_is_asked_once_with_a_link_and_a_button(inactive: InactiveClient) -> None:
    await inactive.world.walk_to(22)
    await inactive.world.enter(inactive.world.ann, 22, **inactive.world.servicetitan.credentials)
    await inactive.pass_time(RETAIN - DAY)
    assert inactive.questions() == []

    await inactive.pass_time(2 * DAY)
    await inactive.pass_time(5 * DAY)

    [message] = inactive.questions()
    assert "Acme Plumbing hasn't moved for 3" in message.text.replace("*", "")
    assert "Client Secret" in message.text
    assert "archives/" in str(message.blocks)
    assert "keep_credentials" in str(message.blocks)
    assert inactive.stored == 5


@ON_BOTH
async def test_unused_credentials_are_deleted_a_week_later_with_a_notice(
    inactive: InactiveClient,
) -> None:
    world = inactive.world
    await world.walk_to(23)
    await inactive.pass_time(RETAIN + DAY)

    await inactive.pass_time(7 * DAY)

    assert inactive.stored == 0
    notice = world.message("deleted:1")
    assert "The credentials entered here were deleted" in notice.text
    assert "Nothing happened in this setup for 38 days" in notice.text
    assert "Client Secret" in notice.text
    assert world.current == 22
    assert world.announced[-1].startswith("🧹")
    assert [step for _, step in world.events("step_undone")] == [22]
    assert world.rows("SELECT status, destroyed_at FROM onboarding") == [("active", None)]
    await inactive.pass_time(100 * DAY)
    assert len(inactive.questions()) == 1


async def test_deleted_credentials_can_be_entered_again(inactive: InactiveClient) -> None:
    world = inactive.world
    await world.walk_to(23)
    await inactive.pass_time(RETAIN + DAY)
    await inactive.pass_time(7 * DAY)

    form = await world.open(world.ann, "deleted:1", "enter_credentials")
    assert (await world.submit(world.ann, form, **world.servicetitan.credentials)).ok
    assert (await world.press(world.ann, "step:22", "step_done")).ack.ok

    assert inactive.stored == 5
    assert world.current == 23
    assert "have been entered again" in world.message("deleted:1").text
    await world.assert_consistent()


async def test_keeping_credentials_restarts_the_retention_period(inactive: InactiveClient) -> None:
    world = inactive.world
    await world.walk_to(23)
    await inactive.pass_time(RETAIN + DAY)
    [message] = inactive.questions()

    assert (await world.erin.press(message, "keep_credentials")).ack.ok
    await world.idle()

    assert "are kept" in last_reply(world.erin)
    assert "kept the credentials" in world.announced[-1]
    assert world.events("credentials_kept") == [(world.erin.id, None)]
    await inactive.pass_time(RETAIN - DAY)
    assert (inactive.stored, len(inactive.questions())) == (5, 1)
    await inactive.pass_time(2 * DAY)
    assert (inactive.stored, len(inactive.questions())) == (5, 2)
    await inactive.pass_time(7 * DAY)
    assert inactive.stored == 0


async def test_keep_pressed_twice_says_who_kept_them(inactive: InactiveClient) -> None:
    world = inactive.world
    await world.walk_to(23)
    await inactive.pass_time(RETAIN + DAY)
    [message] = inactive.questions()
    for _ in range(2):
        await world.erin.press(message, "keep_credentials")
        await world.idle()

    assert f"<@{world.erin.id}> already kept these credentials" in last_reply(world.erin)
    assert len(world.events("credentials_kept")) == 1


async def test_pressing_keep_too_late_says_they_are_already_deleted(
    inactive: InactiveClient,
) -> None:
    world = inactive.world
    await world.walk_to(23)
    await inactive.pass_time(RETAIN + DAY)
    [message] = inactive.questions()
    await inactive.pass_time(7 * DAY)

    await world.erin.press(message, "keep_credentials")
    await world.idle()

    assert "already deleted" in last_reply(world.erin)


async def test_only_an_engineer_can_keep_credentials(inactive: InactiveClient) -> None:
    world = inactive.world
    await world.walk_to(23)
    await inactive.pass_time(RETAIN + DAY)
    assert inactive.questions()

    await world.ann.press_raw(world.message("root"), "keep_credentials", world.onboarding)
    await world.idle()

    assert world.events("credentials_kept") == []
    assert "engineer" in last_reply(world.ann)


async def test_any_activity_restarts_the_retention_period(inactive: InactiveClient) -> None:
    world = inactive.world
    await world.walk_to(23)
    await inactive.pass_time(RETAIN + DAY)
    await world.press(world.erin, "step:23", "step_done")

    await inactive.pass_time(8 * DAY)

    assert inactive.stored == 5
    await inactive.pass_time(RETAIN)
    assert len(inactive.questions()) == 2


async def test_credentials_of_a_paused_onboarding_are_deleted_too(inactive: InactiveClient) -> None:
    world = inactive.world
    await world.walk_to(23)
    await world.type("pause")

    await inactive.pass_time(RETAIN + DAY)
    await inactive.pass_time(7 * DAY)

    assert inactive.stored == 0
    assert world.rows("SELECT status FROM onboarding") == [("paused",)]


async def test_engineering_is_not_asked_if_no_credentials_are_stored(
    inactive: InactiveClient,
) -> None:
    await inactive.pass_time(RETAIN + 30 * DAY)

    assert inactive.questions() == []


@ON_BOTH
async def test_the_history_shows_the_question_and_the_deletion(inactive: InactiveClient) -> None:
    world = inactive.world
    await world.walk_to(23)
    await inactive.pass_time(RETAIN + DAY)
    await inactive.pass_time(7 * DAY)

    await world.type("history")

    text = str(world.view_of(world.erin).content)
    assert "asked engineering whether to keep" in text
    assert "after 38 days without activity" in text
