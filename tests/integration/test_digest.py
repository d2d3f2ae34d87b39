"""The weekly digest: on its day, once, with any number of workers."""

import pytest
from freezegun import freeze_time

from bot.core.errors import Unavailable
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World, running_world

pytestmark = ON_SQLITE

# A Monday, 08:59 in New York.
MONDAY = "2026-03-02 13:59"


def digests(world: World) -> list[str]:
    return [message.text for message in world.engineering.messages if "onboardings" in message.text]


async def test_the_digest_is_posted_once_on_monday_morning(database: AnyDatabase) -> None:
    with freeze_time(MONDAY, tick=True, real_asyncio=True) as clock:
        async with running_world(database, digest_at="Mon 09:00") as world:
            await world.begin()
            await world.ann.say(
                world.channel, "help where do I find Erin?", world.message("root").ts
            )
            await world.slack.delivered()
            await world.idle()
            await world.bot.digest.look()
            assert digests(world) == []

            clock.tick(120)
            async with world.second_bot() as other:
                await world.bot.digest.look()
                await other.digest.look()
                await world.bot.digest.look()

            [text] = digests(world)
            assert "Last 7 days: 1 started · 0 went live" in text
            assert "Waiting on us" in text
            assert "|Acme Plumbing>: 1 open question, step 1" in text


async def test_a_missed_digest_is_posted_later_that_day_but_not_the_next(
    database: AnyDatabase,
) -> None:
    with freeze_time("2026-03-03 15:00", tick=True, real_asyncio=True) as clock:
        async with running_world(database, digest_at="Mon 09:00") as world:
            await world.begin()
            await world.bot.digest.look()  # it is Tuesday
            assert digests(world) == []
            clock.move_to("2026-03-10 03:30")  # Monday evening in New York
            await world.bot.digest.look()
            assert len(digests(world)) == 1


async def test_an_empty_digest_is_not_posted(database: AnyDatabase) -> None:
    with freeze_time("2026-03-02 15:00", tick=True, real_asyncio=True):
        async with running_world(database, digest_at="Mon 09:00") as world:
            await world.bot.digest.look()
            assert digests(world) == []


async def test_the_digest_can_be_turned_off(database: AnyDatabase) -> None:
    with freeze_time("2026-03-01 15:00", tick=True, real_asyncio=True) as clock:
        async with running_world(database, digest_at="off") as world:
            await world.begin()
            clock.move_to("2026-03-02 15:00")
            await world.bot.digest.look()
            assert digests(world) == []


async def test_a_refused_post_is_tried_again_later(database: AnyDatabase) -> None:
    with freeze_time("2026-03-01 15:00", tick=True, real_asyncio=True) as clock:
        async with running_world(database, digest_at="Mon 09:00") as world:
            await world.begin()
            clock.move_to("2026-03-02 15:00")
            world.slack.fail_next("chat.postMessage", error="is_archived")
            await world.bot.digest.look()
            await world.bot.digest.look()
            assert digests(world) == []
            clock.tick(400)
            await world.bot.digest.look()
            assert len(digests(world)) == 1


async def test_a_digest_whose_answer_was_lost_is_not_repeated(database: AnyDatabase) -> None:
    with freeze_time("2026-03-01 15:00", tick=True, real_asyncio=True) as clock:
        async with running_world(database, digest_at="Mon 09:00") as world:
            await world.begin()
            clock.move_to("2026-03-02 15:00")
            world.slack.fail_next("chat.postMessage", drop=True, performed=True)
            with pytest.raises(Unavailable):
                await world.bot.digest.look()
            clock.tick(90)
            await world.bot.digest.look()
            await world.bot.digest.look()
            assert len(digests(world)) == 1


async def test_a_lost_digest_is_found_after_looking_for_it_failed(database: AnyDatabase) -> None:
    with freeze_time("2026-03-01 15:00", tick=True, real_asyncio=True) as clock:
        async with running_world(database, digest_at="Mon 09:00") as world:
            await world.begin()
            clock.move_to("2026-03-02 15:00")
            world.slack.fail_next("chat.postMessage", drop=True, performed=True)
            world.slack.fail_next("conversations.history", error="internal_error", times=2)
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await world.bot.digest.look()
                clock.tick(700)  # an outage longer than what clocks may differ by
            await world.bot.digest.look()
            assert len(digests(world)) == 1
