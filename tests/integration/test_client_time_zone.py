"""The client's time zone: taken from the first of their people who has one in Slack."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freezegun import freeze_time

from bot.onboarding import start
from bot.onboarding.people import Actor, Role
from bot.reminders.sender import SWEEP_BATCH
from storage import onboardings
from tests.databases import AnyDatabase
from tests.integration.world import World, now, running_world

pytestmark = pytest.mark.slow_slack

MoveClock = Callable[[datetime], None]
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
# Nothing happens after Monday, 15:00 in Berlin: the reminder is due there on Tuesday at 15:00. In
# New York it was 9:00, so there it'd be due on Monday at 17:00, and be sent on Tuesday at 9:00.
MONDAY, TUESDAY = datetime(2026, 11, 16, 14, tzinfo=UTC), datetime(2026, 11, 17, 14, tzinfo=UTC)


@pytest.fixture
def move_clock() -> Iterator[MoveClock]:
    with freeze_time(MONDAY, real_asyncio=True) as clock:
        yield clock.move_to


async def sweep(world: World) -> None:
    await world.bot.sweep()
    await world.idle()


async def deliver_events(world: World) -> None:
    await world.slack.delivered()
    await world.idle()


def timezone(world: World) -> str | None:
    [(found,)] = world.rows("SELECT timezone FROM onboarding")
    return str(found) if found else None


async def begin_without_members(world: World, name: str = "Acme Plumbing", **values: Any) -> None:
    """Start with no one from the client in the channel, so that no time zone is found yet."""
    del world.channel.members[world.ann.id]
    await world.begin(name, **values)
    world.channel.members[world.ann.id] = world.ann.user


async def test_the_time_zone_comes_from_the_first_client_member_to_join(world: World) -> None:
    await begin_without_members(world)
    bea = world.slack.add_person("Bea Acme", world.ann.team)
    bea.user.tz = BERLIN

    await world.slack.admin.invite(world.channel, bea, world.erin)
    await deliver_events(world)

    assert timezone(world) == BERLIN


async def test_a_member_who_joins_is_announced_even_if_users_info_fails(world: World) -> None:
    await begin_without_members(world)
    bea = world.slack.add_person("Bea Acme", world.ann.team)
    world.slack.fail_next("users.info", status=500, times=9)

    await world.slack.admin.invite(world.channel, bea, world.erin)
    await deliver_events(world)

    assert "joined the channel" in world.announced[-1]
    assert timezone(world) is None


@pytest.mark.parametrize("with_admin", [True, False], ids=["a named admin", "the first to act"])
async def test_the_sweep_finds_the_time_zone_and_reminders_follow_it(
    move_clock: MoveClock, database: AnyDatabase, with_admin: bool
) -> None:
    async with running_world(database) as world:
        world.ann.user.tz = BERLIN
        await begin_without_members(world, client_admins=[world.ann.id] if with_admin else [])
        if not with_admin:
            await world.press(world.ann, "step:1", "choose_account:new")
        await sweep(world)

        assert timezone(world) == BERLIN
        move_clock(TUESDAY)
        await sweep(world)
        assert world.find("reminder:1")


@pytest.mark.parametrize("zone", [None, "Mars/Olympus_Mons"])
async def test_without_a_usable_slack_time_zone_the_setting_is_used(
    move_clock: MoveClock, database: AnyDatabase, zone: str | None
) -> None:
    async with running_world(database, business_timezone=NEW_YORK) as world:
        world.ann.user.tz = zone
        await begin_without_members(world, client_admins=[world.ann.id])
        await sweep(world)

        assert world.rows("SELECT next_reminder FROM onboarding") == [(TUESDAY,)]
        move_clock(TUESDAY)
        await sweep(world)
        assert world.find("reminder:1")


async def test_the_setting_applies_while_slack_is_down_and_slack_is_asked_later(
    move_clock: MoveClock, database: AnyDatabase
) -> None:
    async with running_world(database, business_timezone="Asia/Tokyo") as world:
        world.ann.user.tz = BERLIN
        await begin_without_members(world, client_admins=[world.ann.id])
        world.slack.fail_next("users.info", status=500, times=1)
        await sweep(world)
        assert timezone(world) is None
        [(due,)] = world.rows("SELECT next_reminder FROM onboarding")
        assert due == datetime(2026, 11, 18, 0, tzinfo=UTC)  # 9:00 in Tokyo

        move_clock(due)
        await sweep(world)

        assert timezone(world) == BERLIN
        assert world.find("reminder:1") is None  # it's night in Berlin
        move_clock(datetime(2026, 11, 18, 8, tzinfo=UTC))
        await sweep(world)
        assert world.find("reminder:1")


async def test_a_slack_outage_does_not_delay_a_reminder_indefinitely(
    move_clock: MoveClock, database: AnyDatabase
) -> None:
    async with running_world(database, business_timezone=NEW_YORK) as world:
        await begin_without_members(world, client_admins=[world.ann.id])
        world.slack.fail_next("users.info", status=500, times=99)
        await sweep(world)
        move_clock(TUESDAY)
        await sweep(world)

        assert timezone(world) is None
        assert world.find("reminder:1")


async def test_a_sweep_stops_asking_slack_after_the_first_failure(world: World) -> None:
    for name in ("Acme Plumbing", "Beta Heating", "Cyan Roofing"):
        await begin_without_members(world, name, client_admins=[world.ann.id])
    world.slack.fail_next("users.info", status=500, times=99)
    before = len(world.slack.calls)

    await sweep(world)

    lookups = [call for call in world.slack.calls[before:] if call.method == "users.info"]
    assert len(lookups) == 1


async def test_a_time_zone_found_when_a_reminder_is_due_applies_to_it(
    move_clock: MoveClock, database: AnyDatabase
) -> None:
    async with running_world(database, business_timezone=NEW_YORK) as world:
        world.ann.user.tz = BERLIN
        await begin_without_members(world, client_admins=[world.ann.id])
        world.slack.fail_next("users.info", status=500, times=1)
        await sweep(world)

        move_clock(datetime(2026, 11, 18, 8, tzinfo=UTC))  # 9:00 in Berlin, the night in New York
        await sweep(world)

        assert timezone(world) == BERLIN
        assert world.find("reminder:1")


async def test_a_sweep_does_not_begin_before_the_last_one_has_ended(database: AnyDatabase) -> None:
    async with running_world(database, latency=0.2) as world:
        await begin_without_members(world, client_admins=[world.ann.id])
        before = len(world.slack.calls)

        await world.bot.sweep()
        await world.bot.sweep()
        await world.idle()

        lookups = [call for call in world.slack.calls[before:] if call.method == "users.info"]
        assert len(lookups) == 1


# --- many lookups at the same time, as after an import ---

IMPORTED = 120  # users.info may be called 100 times a minute


async def import_many(world: World) -> None:
    """Add onboardings without a time zone, each with its own contact."""
    erin = Actor(world.erin.id, world.erin.team.id, Role.ENGINEER)
    async with world.bot.database.begin() as session:
        for number in range(IMPORTED):
            contact = world.slack.add_person(f"Contact {number}", world.ann.team)
            contact.user.tz = BERLIN
            world.channel.members[contact.id] = contact.user
            started = start(
                f"{number:016x}",
                world.bot.database.guides.default,
                client_name=f"Client {number}",
                channel=world.channel.id,
                engineer=world.erin.id,
                client_admins=[contact.id],
                actor=erin,
                now=now(),
            )
            await onboardings.add(session, started)


def count_without_time_zone(world: World) -> int:
    [(count,)] = world.rows("SELECT count(*) FROM onboarding WHERE timezone IS NULL")
    return int(count)


@pytest.mark.virtual_time
async def test_bulk_lookups_leave_rate_limit_room_for_people_who_act(begun: World) -> None:
    await import_many(begun)
    eve = begun.slack.add_person("Eve Engineer", begun.erin.team)
    await begun.slack.admin.invite(begun.channel, eve, begun.erin)
    begun.slack.rate_limits.enabled = True
    for _ in range(IMPORTED // SWEEP_BATCH + 1):
        await sweep(begun)

    await begun.press(eve, "step:1", "step_help")

    assert eve.view
    lookups = begun.slack.calls_of("users.info")
    assert not [call for call in lookups if call.answer.get("error") == "ratelimited"]


@pytest.mark.virtual_time
async def test_lookups_deferred_by_the_rate_limit_finish_within_minutes(
    move_clock: MoveClock, database: AnyDatabase
) -> None:
    async with running_world(database, business_timezone=NEW_YORK) as world:
        await import_many(world)
        move_clock(TUESDAY - timedelta(hours=1))  # long due in New York, not yet in Berlin
        for _ in range(IMPORTED // SWEEP_BATCH + 1):
            await sweep(world)
        assert count_without_time_zone(world)
        assert not world.rows("SELECT next_reminder FROM onboarding WHERE next_reminder IS NULL")

        for _ in range(4 * 60 // 5):
            await asyncio.sleep(5)
            await sweep(world)
            if not count_without_time_zone(world):
                break

        assert count_without_time_zone(world) == 0
        assert not world.events("reminded")


@pytest.mark.virtual_time
async def test_an_endless_rate_limit_does_not_delay_a_reminder_indefinitely(
    move_clock: MoveClock, database: AnyDatabase
) -> None:
    async with running_world(database, business_timezone=NEW_YORK) as world:
        await begin_without_members(world, client_admins=[world.ann.id])
        beta = world.slack.add_channel("beta", world.erin)
        await world.begin("Beta Heating", beta)  # nobody from this client to look up
        world.slack.fail_next("users.info", retry_after=30, times=999)
        move_clock(TUESDAY)
        await sweep(world)
        assert world.find("reminder:1") is None

        for _ in range(14):
            await asyncio.sleep(300)
            world.write("UPDATE onboarding SET next_reminder = NULL WHERE channel = ?", beta.id)
            await sweep(world)

        assert count_without_time_zone(world) == 2
        assert world.find("reminder:1")
