"""Socket Mode: the same conversation, without a public URL."""

from collections.abc import AsyncIterator

import pytest

from sandbox.slack import LineTrouble, offers
from tests.databases import AnyDatabase
from tests.integration.world import World, last_reply, running_world


@pytest.fixture
async def world(database: AnyDatabase) -> AsyncIterator[World]:
    async with running_world(database, socket_mode=True) as world:
        yield world


async def test_an_onboarding_starts_and_a_press_advances_it(world: World) -> None:
    await world.begin()

    await world.press(world.ann, "step:1", "choose_account:existing")

    assert world.slots() == ["root", "welcome", "step:1", "step:2", "step:3"]
    assert offers(world.message("step:3"), "step_done")
    assert all(delivery.ack.ok for delivery in world.slack.deliveries)


async def test_an_invalid_form_is_refused_and_accepted_once_corrected(world: World) -> None:
    await world.begin()
    await world.walk_to(11)

    refused = await world.enter(world.ann, 11, booking_provider_id="HeavySet")
    accepted = await world.submit(
        world.ann, world.view_of(world.ann), booking_provider_id="123456789"
    )

    assert "is digits only" in refused.errors["booking_provider_id"]
    assert accepted.ok
    assert world.rows("SELECT mask FROM credential") == [("••••6789",)]


async def test_status_is_returned_in_the_acknowledgment(world: World) -> None:
    await world.begin()

    reply = await world.type("status")

    assert "Acme Plumbing" in str(reply.ack.json())


async def test_a_refused_press_is_explained_privately(world: World) -> None:
    await world.begin()
    await world.walk_to(23)

    await world.press(world.ann, "step:23", "step_done")

    assert "This one's on us" in last_reply(world.ann)


async def test_health_routes_are_served_but_the_slack_route_is_not(world: World) -> None:
    assert await world.get("/healthz") == (200, "alive\n")
    assert (await world.get("/readyz"))[0] == 200
    assert (await world.get("/slack/events"))[0] == 404


async def test_the_bot_reconnects_after_a_disconnect(world: World) -> None:
    await world.begin()

    await world.slack.sockets.lose(LineTrouble.REFRESH_REQUESTED)
    await world.slack.until(lambda: world.slack.connections or None, timeout=15)
    await world.press(world.ann, "step:1", "choose_account:new")

    assert world.current == 2
