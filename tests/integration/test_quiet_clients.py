"""After the last follow-up: the choices engineering gets, and what client replies change."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from freezegun import freeze_time

from sandbox.slack import Message
from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import World, last_reply, running_world

# Monday, November 16 at 10 in New York, and business day 14 after it (Thanksgiving is between).
BEGAN = datetime(2026, 11, 16, 15, tzinfo=UTC)
LAST = datetime(2026, 12, 7, 15, tzinfo=UTC)
HOUR, TWO_WEEKS = timedelta(hours=1), timedelta(days=14)

MoveClock = Callable[[datetime], None]


@pytest.fixture
def move_clock() -> Iterator[MoveClock]:
    with freeze_time(BEGAN, real_asyncio=True) as clock:
        yield clock.move_to


@pytest.fixture
async def world(move_clock: MoveClock, database: AnyDatabase) -> AsyncIterator[World]:  # noqa: ARG001 - first
    async with running_world(database) as world:
        world.ann.user.tz = "America/New_York"
        await world.begin()
        yield world


@pytest.fixture
async def quiet(world: World, move_clock: MoveClock) -> World:
    """Nothing has happened for fourteen business days."""
    move_clock(LAST)
    await sweep(world)
    return world


async def sweep(world: World) -> None:
    await world.bot.sweep()
    await world.idle()


def question(world: World) -> Message:
    """The newest message that asks engineering what to do."""
    return [message for message in world.engineering.messages if "What now?" in message.text][-1]


async def press(world: World, button: str) -> None:
    await world.erin.press(question(world), button)
    await world.idle()


async def write(world: World, text: str) -> None:
    await world.ann.say(world.channel, text, thread_ts=world.message("root").ts)
    await world.idle()


def buttons(message: Message) -> list[str]:
    return [
        element["action_id"]
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


async def test_the_engineer_is_mentioned_and_offered_three_buttons(quiet: World) -> None:
    asked = question(quiet)

    assert f"<@{quiet.erin.id}>, Acme Plumbing has gone quiet at step 1" in asked.text
    assert "1 reminder unanswered" in asked.text  # the bot was away, so only the newest was sent
    assert buttons(asked) == ["pause_quiet", "ask_again", "cancel_quiet"]
    assert asked.payload["slot"].startswith("announcement:")


async def test_pause_puts_the_onboarding_on_hold_and_updates_the_question(quiet: World) -> None:
    old = question(quiet).snapshot()
    await press(quiet, "pause_quiet")

    assert quiet.events("paused") == [(quiet.erin.id, None)]
    assert "On hold" in last_reply(quiet.erin)
    assert "⏸️ On hold." in question(quiet).text
    assert buttons(question(quiet)) == []
    await quiet.erin.press(old, "pause_quiet")
    await quiet.idle()
    assert "already paused" in last_reply(quiet.erin)
    assert len(quiet.events("paused")) == 1


@ON_BOTH
async def test_only_the_first_of_two_simultaneous_decisions_counts(quiet: World) -> None:
    eve = quiet.slack.add_person("Eve Engineer")
    await quiet.slack.admin.invite(quiet.engineering, eve, quiet.erin)
    asked = question(quiet)
    await asyncio.gather(quiet.erin.press(asked, "ask_again"), eve.press(asked, "ask_again"))
    await quiet.idle()

    [(first, _)] = quiet.events("ask_again_later")
    loser = quiet.erin if first == eve.id else eve
    assert f"<@{first}> already chose to ask again" in last_reply(loser)
    assert f"<@{first}> chose to ask again" in question(quiet).text


async def test_ask_again_reminds_once_more_in_two_weeks_and_asks_again(
    quiet: World, move_clock: MoveClock
) -> None:
    await press(quiet, "ask_again")
    move_clock(LAST + TWO_WEEKS - HOUR)
    await sweep(quiet)
    assert len(quiet.events("reminded")) == 1

    move_clock(LAST + TWO_WEEKS)
    for _ in range(2):
        await sweep(quiet)

    assert "checking in once more" in quiet.message("reminder:2").text
    assert "see the newer one below" in quiet.message("reminder:1").text
    assert len(quiet.events("gone_quiet")) == 2
    assert buttons(question(quiet)) == ["pause_quiet", "ask_again", "cancel_quiet"]


async def test_cancel_asks_for_confirmation_first(quiet: World) -> None:
    await press(quiet, "cancel_quiet")
    assert quiet.events("cancelled") == []
    await quiet.submit(quiet.erin, quiet.view_of(quiet.erin), reason="No answer.")

    assert quiet.events("cancelled") == [(quiet.erin.id, None)]
    assert "⛔ Canceled." in question(quiet).text


async def test_the_question_is_void_once_the_client_is_active_again(quiet: World) -> None:
    old = question(quiet).snapshot()
    await press(quiet, "cancel_quiet")
    form = quiet.view_of(quiet.erin)
    await quiet.press(quiet.ann, "reminder:1", "choose_account:new")

    assert f"🌤️ Acme Plumbing is active again (<@{quiet.ann.id}>)." in "\n".join(quiet.announced)
    assert "They're active again." in question(quiet).text
    for button in buttons(old):
        await quiet.erin.press(old, button)
        await quiet.idle()
        assert "active again, so nothing was changed" in last_reply(quiet.erin)
    assert not (await quiet.submit(quiet.erin, form, reason="No answer.")).ok
    assert quiet.rows("SELECT status FROM onboarding") == [("active",)]


async def test_the_buttons_are_for_engineers_only(quiet: World) -> None:
    value = f"{quiet.onboarding}:1"
    for button in ("pause_quiet", "ask_again", "cancel_quiet"):
        await quiet.ann.press_raw(quiet.message("root"), button, value)
        await quiet.idle()
        assert "for HeavySet engineers" in last_reply(quiet.ann)

    assert quiet.rows("SELECT status FROM onboarding") == [("active",)]
    assert quiet.events("ask_again_later") == []


# --- what people write in the thread ---


async def test_a_client_reply_settles_the_reminder_and_the_next_mentions_it(
    world: World, move_clock: MoveClock
) -> None:
    move_clock(BEGAN + 24 * HOUR)
    await sweep(world)
    await write(world, "Waiting for our IT, back Thursday")

    reminder = world.message("reminder:1")
    assert f"<@{world.ann.id}> replied" in reminder.text
    assert buttons(reminder) == []
    assert f"Heard from <@{world.ann.id}>: I'll check back" in world.message("root").text
    assert world.ann.ephemerals == []  # the bot doesn't reply to chat
    move_clock(BEGAN + 3 * 24 * HOUR)  # Thursday
    await sweep(world)
    text = world.message("reminder:2").text
    assert "just checking in: step 1 is ready when you are (last heard from you <!date^" in text
    assert "no activity" not in text


async def test_chat_is_recorded_once_and_progress_cancels_the_named_day(
    world: World, move_clock: MoveClock
) -> None:
    move_clock(BEGAN + 2 * HOUR)
    for text in ("We'll do it next week", "Thanks!", "Have a nice day"):
        await write(world, text)
    assert world.events("heard_from") == [(world.ann.id, 1)]
    detail = str(world.rows("SELECT detail FROM event WHERE kind = 'heard_from'"))
    assert "next week" not in detail

    await world.press(world.ann, "step:1", "choose_account:new")
    assert "I'll check back" not in world.message("root").text
    move_clock(BEGAN + 26 * HOUR)
    await sweep(world)
    assert "a friendly nudge" in world.message("reminder:1").text
