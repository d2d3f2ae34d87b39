"""Reminders in the thread: who can snooze them, what old ones reply, and no duplicates."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freezegun import freeze_time
from sqlmodel import SQLModel

from bot.guide import load
from bot.onboarding import start
from bot.onboarding.people import Actor, Role
from bot.reminders.sender import SWEEP_BATCH
from storage import onboardings
from storage.schedule import Waiting, look_again
from tests.background import wait_for_tasks
from tests.databases import ON_BOTH, AnyDatabase
from tests.executed_sql import observe_sql
from tests.integration.world import World, last_reply, running_world

# Monday to Friday of one week, at ten in New York. No progress since Monday.
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (
    datetime(2026, 11, 16 + day, 15, tzinfo=UTC) for day in range(5)
)
HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
PAST, FUTURE = datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)

MoveClock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def no_ciphertext_wiping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the bot from wiping old ciphertexts, whose queries would count as the sweep's."""
    monkeypatch.setattr("storage.secure_delete.DEBOUNCE_SECONDS", 3600)


@pytest.fixture
def move_clock() -> Iterator[MoveClock]:
    """Sets the clock, which is frozen at ten on Monday."""
    with freeze_time(MONDAY, real_asyncio=True) as clock:
        yield clock.move_to


@pytest.fixture
async def stalled(move_clock: MoveClock, database: AnyDatabase) -> AsyncIterator[World]:  # noqa: ARG001 - first
    """A world whose onboarding has been at step 1 since Monday."""
    async with running_world(database) as world:
        await world.begin()
        yield world


@pytest.fixture
async def reminded(stalled: World, move_clock: MoveClock) -> World:
    """The same world on Tuesday, with a reminder in the thread."""
    move_clock(TUESDAY)
    await sweep(stalled)
    assert reminder_slots(stalled) == ["reminder:1"]
    return stalled


async def sweep(world: World) -> None:
    await world.bot.sweep()
    await world.idle()


def reminder_slots(world: World) -> list[str]:
    return [slot for slot in world.slots() if slot.startswith("reminder:")]


def escalations(world: World) -> list[str]:
    return [text for text in world.announced if "has stalled" in text]


def hold_lease(world: World, until: datetime) -> None:
    """Have a dead worker hold the thread's lease `until` it expires."""
    world.write("UPDATE onboarding SET lease_owner = 'dead', lease_until = ?", until)


# --- snooze ---


async def test_a_snooze_shows_who_and_until_when_and_is_kept(
    reminded: World, move_clock: MoveClock
) -> None:
    move_clock(TUESDAY + HOUR)
    await reminded.press(reminded.ann, "reminder:1", "snooze")

    text = reminded.message("reminder:1").text
    found = re.search(r"check back <!date\^(\d+)\^", text)
    assert found
    assert f"Snoozed by <@{reminded.ann.id}>" in text
    assert datetime.fromtimestamp(int(found[1]), UTC) == WEDNESDAY + HOUR
    move_clock(WEDNESDAY + HOUR - timedelta(seconds=1))
    await sweep(reminded)
    assert reminder_slots(reminded) == ["reminder:1"]
    move_clock(WEDNESDAY + HOUR)
    await sweep(reminded)
    assert reminder_slots(reminded) == ["reminder:1", "reminder:2"]


async def test_only_an_engineer_can_snooze_a_reminder_to_heavyset(
    stalled: World, move_clock: MoveClock
) -> None:
    await stalled.walk_to(23)
    move_clock(TUESDAY)
    await sweep(stalled)

    await stalled.press(stalled.ann, "reminder:1", "snooze")
    assert "This one's on us" in last_reply(stalled.ann)
    assert stalled.events("snoozed") == []

    await stalled.press(stalled.erin, "reminder:1", "snooze")
    assert stalled.events("snoozed") == [(stalled.erin.id, 23)]


async def test_an_engineer_can_snooze_for_the_client(reminded: World) -> None:
    await reminded.press(reminded.erin, "reminder:1", "snooze")

    assert f"Snoozed by <@{reminded.erin.id}>" in reminded.message("reminder:1").text


async def test_a_step_can_be_finished_from_the_reminder(reminded: World) -> None:
    await reminded.press(reminded.ann, "reminder:1", "choose_account:new")

    assert reminded.current == 2
    assert "taken care of" in reminded.message("reminder:1").text
    assert reminded.slots()[-1] == "step:2"


async def test_stale_reminder_buttons_explain_what_already_happened(reminded: World) -> None:
    old = reminded.message("reminder:1").snapshot()
    await reminded.press(reminded.ann, "reminder:1", "snooze")

    await reminded.ann.press(old, "snooze")
    await reminded.idle()
    assert f"<@{reminded.ann.id}> already snoozed it until" in last_reply(reminded.ann)

    await reminded.ann.press(old, "choose_account:new")
    await reminded.ann.press(old, "choose_account:new")
    await reminded.idle()
    assert "already finished step 1" in last_reply(reminded.ann)

    await reminded.ann.press(old, "snooze")
    await reminded.idle()
    assert "Nothing to snooze anymore" in last_reply(reminded.ann)
    assert len(reminded.events("snoozed")) == 1


# --- manual reminders ---


async def test_a_manual_reminder_is_immediate_and_limited_to_one_per_hour(
    stalled: World, move_clock: MoveClock
) -> None:
    await stalled.type("remind")
    second = await stalled.type("remind")

    assert reminder_slots(stalled) == ["reminder:1"]
    assert "already" in second.text
    assert f"a friendly nudge from <@{stalled.erin.id}>" in stalled.message("reminder:1").text

    move_clock(MONDAY + HOUR)
    await stalled.type("remind")
    assert reminder_slots(stalled) == ["reminder:1", "reminder:2"]
    assert "see the newer one below" in stalled.message("reminder:1").text


# --- sent exactly once ---


@ON_BOTH
async def test_a_restart_between_reminder_and_escalation_repeats_nothing(
    reminded: World, move_clock: MoveClock
) -> None:
    async with reminded.second_bot() as other:
        for moment in (TUESDAY, WEDNESDAY, THURSDAY, THURSDAY + HOUR, FRIDAY):
            move_clock(moment)
            await other.sweep()
            await wait_for_tasks(other.tasks)

    assert reminder_slots(reminded) == ["reminder:1", "reminder:2"]
    assert len(escalations(reminded)) == 1


@ON_BOTH
async def test_concurrent_workers_send_each_reminder_and_escalation_once(
    stalled: World, move_clock: MoveClock
) -> None:
    async with stalled.second_bot() as second, stalled.second_bot() as third:
        bots = (stalled.bot, second, third)
        for moment in (TUESDAY, THURSDAY):
            move_clock(moment)
            for _ in range(3):
                await asyncio.gather(*(bot.sweep() for bot in bots))
                await asyncio.gather(*(wait_for_tasks(bot.tasks) for bot in bots))

    assert reminder_slots(stalled) == ["reminder:1", "reminder:2"]
    assert len(stalled.events("reminded")) == 2
    assert len(escalations(stalled)) == len(stalled.events("escalated")) == 1


@ON_BOTH
async def test_a_worker_killed_between_commit_and_post_loses_nothing(
    stalled: World, move_clock: MoveClock
) -> None:
    move_clock(FRIDAY)
    hold_lease(stalled, FUTURE)
    await sweep(stalled)
    assert (len(stalled.events("reminded")), reminder_slots(stalled)) == (1, [])

    hold_lease(stalled, PAST)
    for _ in range(3):
        await sweep(stalled)

    assert reminder_slots(stalled) == ["reminder:1"]
    assert len(escalations(stalled)) == 1


async def test_a_reminder_whose_response_was_lost_is_not_posted_twice(
    stalled: World, move_clock: MoveClock
) -> None:
    move_clock(TUESDAY)
    stalled.slack.fail_next("chat.postMessage", drop=True, performed=True)
    await sweep(stalled)

    await stalled.catch_up()

    assert reminder_slots(stalled) == ["reminder:1"]
    known = stalled.rows("SELECT ts FROM message WHERE slot = 'reminder:1'")
    assert known == [(stalled.message("reminder:1").ts,)]


async def test_a_reminder_settled_before_it_is_posted_is_never_posted(
    stalled: World, move_clock: MoveClock
) -> None:
    move_clock(TUESDAY)
    hold_lease(stalled, FUTURE)
    await sweep(stalled)
    await stalled.press(stalled.ann, "step:1", "choose_account:new")

    hold_lease(stalled, PAST)
    await sweep(stalled)

    assert stalled.slots() == ["root", "welcome", "step:1", "step:2"]


async def test_setting_the_clock_back_repeats_nothing(
    reminded: World, move_clock: MoveClock
) -> None:
    for moment in (MONDAY, MONDAY - YEAR, TUESDAY, WEDNESDAY):
        move_clock(moment)
        await sweep(reminded)

    assert reminder_slots(reminded) == ["reminder:1"]
    assert escalations(reminded) == []


async def test_progress_still_counts_after_the_clock_is_set_back(
    reminded: World, move_clock: MoveClock
) -> None:
    move_clock(MONDAY - HOUR)
    await reminded.press(reminded.ann, "step:1", "choose_account:new")

    assert "taken care of" in reminded.message("reminder:1").text
    move_clock(TUESDAY - HOUR - timedelta(seconds=1))
    await sweep(reminded)
    assert reminder_slots(reminded) == ["reminder:1"]
    move_clock(TUESDAY - HOUR)
    await sweep(reminded)
    assert reminder_slots(reminded) == ["reminder:1", "reminder:2"]


async def test_a_clock_that_jumps_ahead_sends_everything_once(
    stalled: World, move_clock: MoveClock
) -> None:
    for moment in (MONDAY + YEAR, MONDAY + YEAR + HOUR, TUESDAY, FRIDAY):
        move_clock(moment)
        await sweep(stalled)
        await sweep(stalled)

    assert reminder_slots(stalled) == ["reminder:1"]
    assert len(stalled.events("gone_quiet")) == 1  # instead of an escalation
    assert escalations(stalled) == []

    await stalled.press(stalled.ann, "step:1", "choose_account:new")
    move_clock(FRIDAY + timedelta(days=3))
    await sweep(stalled)
    assert reminder_slots(stalled) == ["reminder:1", "reminder:2"]


# --- the sweep ---


def schedule(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT next_reminder, revision FROM onboarding")


@ON_BOTH
async def test_a_sweep_schedules_the_next_reminder_without_a_new_revision(stalled: World) -> None:
    [(_, revision)] = schedule(stalled)

    await sweep(stalled)

    assert schedule(stalled) == [(TUESDAY, revision)]


async def test_an_onboarding_changed_during_a_sweep_is_checked_again(stalled: World) -> None:
    [(_, revision)] = schedule(stalled)
    async with stalled.bot.database.begin() as session:
        before = Waiting(stalled.onboarding, revision - 1)
        await look_again(session, before, next_reminder=TUESDAY)

    assert schedule(stalled) == [(None, revision)]


@ON_BOTH
async def test_an_unreadable_onboarding_does_not_block_others_reminders(
    stalled: World, move_clock: MoveClock
) -> None:
    other = await stalled.begin("Beta Heating")
    stalled.write("UPDATE onboarding SET guide_version = 'lost' WHERE id != ?", other)
    move_clock(TUESDAY)

    await sweep(stalled)

    assert stalled.rows("SELECT onboarding_id FROM event WHERE kind = 'reminded'") == [(other,)]
    # A newer release must find it unchanged.
    assert stalled.rows("SELECT next_reminder FROM onboarding WHERE id != ?", other) == [(None,)]


@ON_BOTH
async def test_reminders_after_a_long_downtime_are_sent_in_batches(
    stalled: World, move_clock: MoveClock
) -> None:
    erin = Actor(stalled.erin.id, stalled.erin.team.id, Role.ENGINEER)
    async with stalled.bot.database.begin() as session:
        for number in range(SWEEP_BATCH + 9):
            started = start(
                f"{number:016x}",
                load(),
                client_name=f"Client {number}",
                channel=stalled.channel.id,
                engineer=stalled.erin.id,
                client_admins=(stalled.ann.id,),
                actor=erin,
                now=MONDAY,
            )
            await onboardings.add(session, started)
    hold_lease(stalled, FUTURE)
    move_clock(FRIDAY)

    counts = []
    for _ in range(3):
        await sweep(stalled)
        counts.append((len(stalled.events("reminded")), len(stalled.events("escalated"))))

    total = SWEEP_BATCH + 10
    assert counts == [
        (SWEEP_BATCH, SWEEP_BATCH),
        (total, total),
        (total, total),
    ]


COPY_ONBOARDING = """
    INSERT INTO onboarding ({names})
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
    SELECT {values} FROM onboarding, numbers
"""


@ON_BOTH
async def test_a_sweep_with_nothing_due_is_a_single_indexed_query(stalled: World) -> None:
    await sweep(stalled)
    names = SQLModel.metadata.tables["onboarding"].columns.keys()
    unique = {"id": "'copy ' || n", "client_key": "'client ' || n"}
    values = ", ".join(unique.get(name, name) for name in names)
    stalled.write(COPY_ONBOARDING.format(names=", ".join(names), values=values))

    with executed_queries() as seen:
        await sweep_reminders(stalled)

    [(query, parameters)] = seen
    looks = [line for line in stalled.database.plan(query, parameters) if "onboarding" in line]
    assert len(looks) == 2
    assert all("onboarding_next_reminder" in line for line in looks)


async def sweep_reminders(world: World) -> None:
    await world.bot.reminder_sender.sweep()
    await world.idle()


@contextmanager
def executed_queries() -> Iterator[list[tuple[str, Any]]]:
    """Yield the queries made in the block, except each transaction's setup."""
    seen: list[tuple[str, Any]] = []

    def record(sql: str, parameters: Any) -> None:
        if not sql.startswith(("BEGIN", "SET LOCAL")):
            seen.append((sql, parameters))

    with observe_sql(record):
        yield seen


async def test_reminder_and_escalation_delays_are_configurable(
    move_clock: MoveClock, database: AnyDatabase
) -> None:
    async with running_world(
        database, remind_after=3600, escalate_after=7200, business_timezone="UTC"
    ) as world:
        world.ann.user.tz = None
        await world.begin()  # at 15:00 there
        counts = []
        for minutes in (59, 60, 119, 120):
            move_clock(MONDAY + timedelta(minutes=minutes))
            await sweep(world)
            await sweep(world)
            counts.append((len(reminder_slots(world)), len(escalations(world))))
        move_clock(TUESDAY - 6 * HOUR)  # two hours after 15:00, business hours were over
        await sweep(world)

    assert counts == [(0, 0), (1, 0), (1, 0), (1, 0)]
    assert len(escalations(world)) == 1
