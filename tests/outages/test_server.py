"""PostgreSQL crashes, stays down, or hangs: no acknowledged change is lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Unavailable
from storage import migrate, onboardings
from tests.crash.final_state import assert_no_duplicates, assert_onboarding_completed
from tests.databases import PostgresDatabase, Server
from tests.integration.world import World, last_reply, running_world
from tests.outages.test_bad_line import RetryingPeople
from tests.outages.time_lapse import time_lapse
from tests.outages.wire import WiredDatabase, running_wire
from tests.postgresql import Cluster

NOT_RESPONDING = "database: the database isn't responding"
# Slack waits three seconds for a response, and the bot has ten to shut down.
SLACK_TIMEOUT, SHUTDOWN_TIMEOUT = 3.0, 10.0
CRASH_INTERVAL = 31  # of the calls to Slack


@pytest.fixture
def database(own_cluster: Cluster, tmp_path: Path) -> Iterator[PostgresDatabase]:
    """A database on a server that the test can stop."""
    with Server(own_cluster.url).database() as url:
        migrate.upgrade(url)
        with closing(PostgresDatabase(tmp_path, url)) as database:
            yield database
        own_cluster.ensure_running()  # so that the database can be dropped


@pytest.fixture
async def begun(database: PostgresDatabase) -> AsyncIterator[World]:
    """A world with Acme's onboarding started and periodic sweeps running."""
    async with running_world(database, sweep_interval=1) as world:
        await world.begin()
        yield world


async def let_through(_moment: str, _method: str, _arguments: dict[str, Any]) -> bool:
    return True


async def test_an_onboarding_survives_repeated_database_crashes(
    database: PostgresDatabase, own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count(1)

    async def crash(_moment: str, _method: str, _arguments: dict[str, Any]) -> bool:
        if next(calls) % CRASH_INTERVAL == 0:
            own_cluster.restart()
        return True

    async with time_lapse(database, monkeypatch, RetryingPeople) as (people, _lapse):
        people.slack.guard(crash)
        await people.onboard()
        await people.wait_until_caught_up()

        await assert_onboarding_completed(people)


async def test_a_database_crash_during_a_post_only_delays_the_thread(
    database: PostgresDatabase, own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(moment: str, method: str, _arguments: dict[str, Any]) -> bool:
        if (moment, method) == ("performed", "chat.postMessage"):
            own_cluster.stop()
        return True

    async with time_lapse(database, monkeypatch) as (people, lapse):
        await people.begin()
        await people.wait_until_caught_up()
        people.slack.guard(crash)
        assert (await people.ann.press(people.step_message(1), "choose_account:new")).ack.ok
        await lapse.wait_a_moment()
        await lapse.wait_a_moment()  # it retries, and the server is still down
        own_cluster.start()
        people.slack.guard(let_through)

        await people.wait_until_caught_up()

        assert people.offered(2, "step_done")
        assert_no_duplicates(people)


async def test_a_press_while_the_database_is_down_asks_to_try_again(
    begun: World, own_cluster: Cluster
) -> None:
    own_cluster.stop()

    press = await begun.press(begun.ann, "step:1", "choose_account:new")

    assert press.ack.ok
    assert "Please try again" in last_reply(begun.ann)
    begun.bot.health._answered_at = None  # as after a second
    status, text = await begun.get("/readyz")
    assert (status, NOT_RESPONDING in text) == (503, True)
    own_cluster.start()
    await begun.press(begun.ann, "step:1", "choose_account:new")
    assert begun.slots() == ["root", "welcome", "step:1", "step:2"]
    assert (await begun.get("/readyz"))[0] == 200


async def test_a_form_sent_while_the_database_is_down_can_be_resubmitted(
    begun: World, own_cluster: Cluster
) -> None:
    await begun.walk_to(11)
    form = await begun.open(begun.ann, "step:11", "enter_credentials")
    own_cluster.stop()

    answer = await begun.submit(begun.ann, form, booking_provider_id="123456789")

    assert "Not saved" in answer.errors["booking_provider_id"]
    own_cluster.start()
    assert (await begun.submit(begun.ann, form)).ok  # the form still holds what was typed
    assert begun.rows("SELECT mask, version FROM credential") == [("••••6789", 1)]


async def test_a_stalled_database_does_not_delay_responses(database: PostgresDatabase) -> None:
    async with (
        running_wire(database.url) as wire,
        running_world(WiredDatabase.through(wire, database)) as world,
    ):
        await world.begin()
        step = world.message("step:1")
        async with wire.stalled():
            began = time.monotonic()
            world.bot.health._answered_at = None  # as after a second
            press, ready = await asyncio.gather(
                world.ann.press(step, "choose_account:new"), world.get("/readyz")
            )
            answered = time.monotonic() - began
            await world.idle()
            reply = last_reply(world.ann)

        assert press.ack.ok
        assert answered < SLACK_TIMEOUT
        assert "Please try again" in reply
        assert (ready[0], NOT_RESPONDING in ready[1]) == (503, True)
        await world.press(world.ann, "step:1", "choose_account:new")
        await world.catch_up()
        assert world.events("step_done") == [(world.ann.id, 1)]
        await world.assert_consistent()


async def test_a_query_on_a_stalled_database_times_out(
    database: PostgresDatabase,
) -> None:
    async with (
        running_wire(database.url) as wire,
        running_world(WiredDatabase.through(wire, database)) as world,
    ):
        await world.begin()

        async def query_a_stalled_server() -> None:
            async with world.bot.database.begin() as session:
                await onboardings.get(session, world.onboarding)
                wire.flowing.clear()
                await onboardings.get(session, world.onboarding)

        with pytest.raises(Unavailable):
            await asyncio.wait_for(query_a_stalled_server(), SLACK_TIMEOUT)
        wire.flowing.set()


async def test_the_bot_shuts_down_in_time_while_the_database_is_stalled(
    database: PostgresDatabase,
) -> None:
    async with running_wire(database.url) as wire:
        async with running_world(WiredDatabase.through(wire, database)) as world:
            await world.begin()
            wire.flowing.clear()
            await world.ann.press(world.message("step:1"), "choose_account:new")
            world.bot.publisher.wake(world.onboarding)
            began = time.monotonic()

        assert time.monotonic() - began < SHUTDOWN_TIMEOUT
