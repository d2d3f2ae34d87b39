"""A channel no client has joined: the engineer is notified, not the empty thread."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from tests.databases import AnyDatabase
from tests.integration.world import World, running_world

MONDAY = datetime(2026, 11, 16, 15, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> Iterator[FrozenDateTimeFactory]:
    with freeze_time(MONDAY, real_asyncio=True) as frozen:
        yield frozen  # type: ignore[misc]


async def sweep(world: World) -> None:
    await world.bot.sweep()
    await world.idle()


async def test_the_engineer_is_notified_if_no_client_joins_in_a_business_day(
    clock: FrozenDateTimeFactory, database: AnyDatabase
) -> None:
    async with running_world(database) as world:
        beta = world.slack.add_channel("beta", world.erin)
        await world.begin("Beta Heating", beta)
        before = world.slots(beta)

        clock.move_to(MONDAY + timedelta(hours=6))
        await sweep(world)
        assert not [text for text in world.announced if "nobody from" in text]
        clock.move_to(MONDAY + DAY + timedelta(hours=1))
        await sweep(world)

        [announcement] = [text for text in world.announced if "nobody from" in text]
        assert announcement.startswith(f"🕳️ <@{world.erin.id}>, nobody from Beta Heating has joined")
        assert world.slots(beta) == before

        ben = world.slack.add_person("Ben Beta", world.slack.add_team("Beta Heating"))
        await world.slack.admin.invite(beta, ben, world.erin)
        await world.slack.delivered()
        await world.idle()
        assert f"Hi <@{ben.id}>, welcome!" in world.message("greeting:1", beta).text
        clock.move_to(MONDAY + 3 * DAY)
        await sweep(world)

        assert f"Hi <@{ben.id}>, a friendly nudge" in world.message("reminder:1", beta).text
