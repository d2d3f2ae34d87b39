"""After go-live: weekly checks, `check all`, and clients who are told what to fix."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from freezegun import freeze_time

from sandbox.servicetitan.tenants import Tenant
from sandbox.slack import Channel, Message, Person
from tests.databases import ON_BOTH, ON_POSTGRESQL, ON_SQLITE, AnyDatabase
from tests.integration.world import World, last_reply, running_world

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LEADS = "tn.crm.leads:r"


@dataclass
class LiveClient:
    world: World
    clock: Any

    async def go_live(self) -> None:
        """Take Acme through the whole onboarding."""
        await self.world.begin()
        await self.world.walk_to(25)
        await self.world.press(self.world.erin, "step:25", "run_verification")
        self.clock.tick(60)

    async def pass_time(self, time: timedelta, sweeps: int = 3) -> None:
        """Let time pass, and have the bot check what's due."""
        self.clock.tick(time)
        for _ in range(sweeps):
            await self.sweep()

    async def sweep(self, seconds: float = 5) -> None:
        self.clock.tick(seconds)
        await self.world.bot.sweep()
        await self.world.idle()

    @property
    def new_announcements(self) -> list[str]:
        """What was announced to engineering since the client went live."""
        announced = self.world.announced
        live = next(at for at, text in enumerate(announced) if "Acme Plumbing is done" in text)
        return announced[live + 1 :]

    def message(self, text: str) -> Message:
        return next(message for message in self.world.engineering.messages if text in message.text)

    @property
    def checks(self) -> int:
        return len(self.world.rows("SELECT number FROM verification WHERE recheck"))


@pytest.fixture
def clock() -> Iterator[Any]:
    with freeze_time("2026-11-17 15:00", real_asyncio=True) as clock:  # a Tuesday
        yield clock


@pytest.fixture
async def live(clock: Any, database: AnyDatabase) -> AsyncIterator[LiveClient]:
    async with running_world(database, retain_credentials_for=365 * 86400) as world:
        yield LiveClient(world, clock)


@ON_BOTH
async def test_a_revoked_secret_is_detected_reported_and_fixed(live: LiveClient) -> None:
    world = live.world
    await live.go_live()
    await live.pass_time(WEEK)
    assert live.checks == 1
    assert live.new_announcements == []

    world.servicetitan.regenerate_secret()
    await live.pass_time(WEEK)
    [broken] = live.new_announcements
    assert "the live connection of Acme Plumbing stopped working" in broken
    assert "Client ID and Client Secret" in broken
    assert "The client doesn't know yet" in broken
    assert world.find("after_go_live:4") is None
    await live.pass_time(WEEK)
    assert len(live.new_announcements) == 1  # already reported

    await world.erin.press(live.message("stopped working"), "tell_client")
    await world.idle()
    asked = world.message("after_go_live:5")
    assert "your ServiceTitan connection needs a quick fix" in asked.text
    assert "didn't accept this Client ID and Client Secret" in asked.text
    assert "told the client" in live.message("stopped working").text
    assert "needs a quick fix" in world.message("root").text
    await world.erin.press_raw(
        live.message("stopped working"), "tell_client", f"{world.onboarding}:4"
    )
    await world.idle()
    assert "The client knows already" in last_reply(world.erin)

    form = await world.open(world.ann, "after_go_live:5", "enter_credentials")
    secret = world.servicetitan.client_secret
    values = {"client_id": world.servicetitan.client_id, "client_secret": secret}
    assert (await world.submit(world.ann, form, **values)).ok
    assert "Fixed, thank you!" in world.message("after_go_live:5").text
    assert "It works!" in world.message("verification:6").text
    assert "needs a quick fix" not in world.message("root").text
    assert any("check 6 passed" in text for text in live.new_announcements)
    count = len(live.new_announcements)
    await live.pass_time(WEEK)
    assert len(live.new_announcements) == count
    await world.assert_consistent()


@ON_SQLITE
async def test_a_recovered_connection_is_announced_once(live: LiveClient) -> None:
    world = live.world
    await live.go_live()
    world.servicetitan.publish_version(LEADS)
    await live.pass_time(WEEK)
    world.servicetitan.accept_version()
    await live.pass_time(WEEK)
    await live.pass_time(WEEK)

    first, last = live.new_announcements
    assert "stopped working: Permissions" in first
    assert "the connection works again" in last


@ON_SQLITE
async def test_a_servicetitan_outage_is_not_reported_as_a_broken_connection(
    live: LiveClient,
) -> None:
    world = live.world
    await live.go_live()
    world.servicetitan.fail(status=503)
    await live.pass_time(WEEK)
    for _ in range(5):
        await live.pass_time(timedelta(hours=1), sweeps=1)
    assert live.new_announcements == []
    assert "verified" in (await world.type("status Acme")).text

    world.servicetitan.heal()
    world.servicetitan.connected = False
    await live.pass_time(timedelta(hours=2))
    assert ["stopped working" in text for text in live.new_announcements] == [True]
    assert "check failed" in (await world.type("status Acme")).text
    assert [
        message.slot for message in world.channel.messages if "verification" in str(message.slot)
    ] == [
        "verification:1",
        "verification:2",
    ]


@ON_SQLITE
async def test_nothing_is_checked_outside_business_hours(live: LiveClient) -> None:
    await live.go_live()
    live.clock.move_to("2026-12-26 15:00")  # a Saturday
    await live.sweep()
    assert live.checks == 0
    live.clock.move_to("2026-12-28 15:00")
    await live.sweep()
    await live.sweep()
    assert live.checks == 1


@ON_POSTGRESQL
async def test_two_workers_run_a_weekly_check_only_once(live: LiveClient) -> None:
    world = live.world
    await live.go_live()
    async with world.second_bot() as other:
        live.clock.tick(WEEK)
        await asyncio.gather(world.bot.sweep(), other.sweep())
        await world.idle()
        await live.sweep()
    assert live.checks == 1


# --- check all ---


async def add_live_client(live: LiveClient, name: str) -> tuple[Person, Channel, Tenant]:
    """Add one more live client, with its own ServiceTitan tenant."""
    world, slack = live.world, live.world.slack
    tenant = world.servicetitan.add_tenant()
    admin = slack.add_person(f"{name.split()[0]} Admin", slack.add_team(name))
    channel = slack.add_channel(name.split()[0].lower(), world.erin, admin)
    onboarding = await world.begin(name, channel)
    await world.finish(onboarding, *range(1, 22))
    world.bot.publisher.wake(onboarding)
    await world.idle()
    await world.press(admin, "step:22", "enter_credentials", channel)
    assert (await world.submit(admin, world.view_of(admin), **tenant.credentials)).ok
    await world.press(admin, "step:22", "step_done", channel)
    for number in (23, 24):
        await world.press(world.erin, f"step:{number}", "step_done", channel)
    await world.press(world.erin, "step:25", "run_verification", channel)
    live.clock.tick(60)
    return admin, channel, tenant


def summary(world: World) -> Message:
    [found] = [
        message
        for message in world.engineering.messages
        if (message.slot or "").startswith("check_all")
    ]
    return found


@ON_SQLITE
async def test_check_all_finds_and_asks_clients_who_have_not_upgraded_the_app(
    live: LiveClient,
) -> None:
    world = live.world
    await live.go_live()
    _, birch_channel, birch = await add_live_client(live, "Birch Heating")
    _, _, cedar = await add_live_client(live, "Cedar Plumbing")
    await add_live_client(live, "Delta Air")
    world.servicetitan.publish_version(LEADS)
    birch.publish_version(LEADS)
    cedar.regenerate_secret()

    reply = await world.type("check all", channel=world.engineering)
    assert "Checking 4 live clients. That takes less than a minute" in reply.text
    await live.sweep()
    await live.sweep(10)
    assert re.search("Checked [12] of 4…", summary(world).text)
    assert "Already on it: checked 2 of 4" in (await world.type("check all")).text
    async with world.second_bot() as other:  # as after a restart
        for _ in range(6):
            live.clock.tick(10)
            await other.sweep()
            await world.idle()
            await asyncio.sleep(0.2)
    for _ in range(2):
        await live.sweep(10)

    text = summary(world).text
    assert "1 of 4 live clients passed" in text
    assert "most likely they haven't accepted the new app version (2)" in text
    assert "Acme Plumbing>: A few permissions are missing. Read: Leads" in text
    assert "Client ID and Client Secret (1)" in text
    assert not [line for line in live.new_announcements if "stopped working" in line]
    assert world.find("after_go_live:3") is None

    value = f"{str(summary(world).slot).partition(':')[2]}:scopes_missing"
    await world.erin.press(summary(world), "ask_them", value=value)
    await world.idle()
    form = world.view_of(world.erin)
    assert (await world.submit(world.erin, form)).ok
    await world.until(lambda: "after_go_live:3" in world.slots(birch_channel))
    await world.until(lambda: summary(world).text.count("Asked by") == 2)
    await world.idle()
    assert "choose “Upgrade to New Version”" in world.message("after_go_live:3").text
    assert "after_go_live:3" in world.slots(birch_channel)
    assert summary(world).text.count("Asked by") == 2
    await world.erin.press(summary(world), "ask_them", value=value)
    await world.idle()
    assert "Already asked: Acme Plumbing and Birch Heating" in last_reply(world.erin)

    world.servicetitan.accept_version()
    await world.press(world.ann, "after_go_live:3", "run_verification")
    assert "Fixed, thank you!" in world.message("after_go_live:3").text
    await world.assert_consistent()


@ON_SQLITE
async def test_check_all_needs_live_clients_and_check_name_suggests_verify(
    live: LiveClient,
) -> None:
    world = live.world
    assert "nothing to check" in (await world.type("check all")).text
    assert "`/servicetitan verify" in (await world.type("check Acme")).text
