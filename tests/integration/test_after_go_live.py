"""After go-live: weekly checks, `check all`, and clients who are told what to fix."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from freezegun import freeze_time

from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Channel, Message, Person
from tests.databases import ON_BOTH, ON_POSTGRESQL, ON_SQLITE, AnyDatabase
from tests.integration.world import World, last_reply, running_world

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LEADS = "tn.crm.leads:r"


@dataclass
class Scene:
    world: World
    clock: Any

    async def goes_live(self) -> None:
        """Take Acme through the whole onboarding."""
        await self.world.begin()
        await self.world.walk_to(25)
        await self.world.press(self.world.erin, "step:25", "run_verification")
        self.clock.tick(60)

    async def passes(self, time: timedelta, looks: int = 3) -> None:
        """Let time pass, and have the bot check what's due."""
        self.clock.tick(time)
        for _ in range(looks):
            await self.look()

    async def look(self, seconds: float = 5) -> None:
        self.clock.tick(seconds)
        await self.world.bot.sweep()
        await self.world.idle()

    @property
    def news(self) -> list[str]:
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
async def scene(clock: Any, database: AnyDatabase) -> AsyncIterator[Scene]:
    async with running_world(database, retain_credentials_for=365 * 86400) as world:
        yield Scene(world, clock)


@ON_BOTH
async def test_a_revoked_secret_is_detected_reported_and_fixed(scene: Scene) -> None:
    world = scene.world
    await scene.goes_live()
    await scene.passes(WEEK)
    assert scene.checks == 1
    assert scene.news == []

    world.servicetitan.regenerate_secret()
    await scene.passes(WEEK)
    [broken] = scene.news
    assert "the live connection of Acme Plumbing stopped working" in broken
    assert "Client ID and Client Secret" in broken
    assert "The client doesn't know yet" in broken
    assert world.find("after_go_live:4") is None
    await scene.passes(WEEK)
    assert len(scene.news) == 1  # already reported

    await world.erin.press(scene.message("stopped working"), "tell_client")
    await world.idle()
    asked = world.message("after_go_live:5")
    assert "your ServiceTitan connection needs a quick fix" in asked.text
    assert "didn't accept this Client ID and Client Secret" in asked.text
    assert "told the client" in scene.message("stopped working").text
    assert "needs a quick fix" in world.message("root").text
    await world.erin.press_raw(
        scene.message("stopped working"), "tell_client", f"{world.onboarding}:4"
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
    assert any("check 6 passed" in text for text in scene.news)
    count = len(scene.news)
    await scene.passes(WEEK)
    assert len(scene.news) == count
    await world.assert_consistent()


@ON_SQLITE
async def test_a_recovered_connection_is_announced_once(scene: Scene) -> None:
    world = scene.world
    await scene.goes_live()
    world.servicetitan.publish_version(LEADS)
    await scene.passes(WEEK)
    world.servicetitan.accept_version()
    await scene.passes(WEEK)
    await scene.passes(WEEK)

    first, last = scene.news
    assert "stopped working: Permissions" in first
    assert "the connection works again" in last


@ON_SQLITE
async def test_a_servicetitan_outage_is_not_reported_as_a_broken_connection(scene: Scene) -> None:
    world = scene.world
    await scene.goes_live()
    world.servicetitan.fail(status=503)
    await scene.passes(WEEK)
    for _ in range(5):
        await scene.passes(timedelta(hours=1), looks=1)
    assert scene.news == []
    assert "verified" in (await world.type("status Acme")).text

    world.servicetitan.heal()
    world.servicetitan.connected = False
    await scene.passes(timedelta(hours=2))
    assert ["stopped working" in text for text in scene.news] == [True]
    assert "check failed" in (await world.type("status Acme")).text
    assert [
        message.slot for message in world.channel.messages if "verification" in str(message.slot)
    ] == [
        "verification:1",
        "verification:2",
    ]


@ON_SQLITE
async def test_nothing_is_checked_outside_business_hours(scene: Scene) -> None:
    await scene.goes_live()
    scene.clock.move_to("2026-12-26 15:00")  # a Saturday
    await scene.look()
    assert scene.checks == 0
    scene.clock.move_to("2026-12-28 15:00")
    await scene.look()
    await scene.look()
    assert scene.checks == 1


@ON_POSTGRESQL
async def test_two_workers_run_a_weekly_check_only_once(scene: Scene) -> None:
    world = scene.world
    await scene.goes_live()
    async with world.second_bot() as other:
        scene.clock.tick(WEEK)
        await asyncio.gather(world.bot.sweep(), other.sweep())
        await world.idle()
        await scene.look()
    assert scene.checks == 1


# --- check all ---


async def another(scene: Scene, name: str) -> tuple[Person, Channel, ServiceTitanSandbox]:
    """Add one more live client, with its own ServiceTitan tenant."""
    world, slack = scene.world, scene.world.slack
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
    scene.clock.tick(60)
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
    scene: Scene,
) -> None:
    world = scene.world
    await scene.goes_live()
    _, birch_channel, birch = await another(scene, "Birch Heating")
    _, _, cedar = await another(scene, "Cedar Plumbing")
    await another(scene, "Delta Air")
    world.servicetitan.publish_version(LEADS)
    birch.publish_version(LEADS)
    cedar.regenerate_secret()

    reply = await world.type("check all", channel=world.engineering)
    assert "Checking 4 live clients. That takes less than a minute" in reply.text
    await scene.look()
    await scene.look(10)
    assert re.search("Checked [12] of 4…", summary(world).text)
    assert "Already on it: checked 2 of 4" in (await world.type("check all")).text
    async with world.second_bot() as other:  # as after a restart
        for _ in range(6):
            scene.clock.tick(10)
            await other.sweep()
            await world.idle()
            await asyncio.sleep(0.2)
    for _ in range(2):
        await scene.look(10)

    text = summary(world).text
    assert "1 of 4 live clients passed" in text
    assert "most likely they haven't accepted the new app version (2)" in text
    assert "Acme Plumbing>: A few permissions are missing. Read: Leads" in text
    assert "Client ID and Client Secret (1)" in text
    assert not [line for line in scene.news if "stopped working" in line]
    assert world.find("after_go_live:3") is None

    value = f"{str(summary(world).slot).partition(':')[2]}:scopes_missing"
    await world.erin.press(summary(world), "ask_them", value=value)
    await world.idle()
    form = world.view_of(world.erin)
    assert (await world.submit(world.erin, form)).ok
    await asyncio.sleep(0.6)
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
async def test_check_all_needs_live_clients_and_check_name_suggests_verify(scene: Scene) -> None:
    world = scene.world
    assert "nothing to check" in (await world.type("check all")).text
    assert "`/servicetitan verify" in (await world.type("check Acme")).text
