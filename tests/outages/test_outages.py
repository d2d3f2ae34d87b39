"""Slack is away, for a moment or for hours: a delay, and not one call too many."""

from datetime import timedelta

import pytest

from sandbox.slack import Trouble, offers
from tests.crash.level import nothing_is_twice, the_thread_is_pinned
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World
from tests.outages.lapse import Lapse, lapsing

pytestmark = pytest.mark.virtual_time

AWAY = timedelta(hours=1)
# The longest pause between two tries is five minutes, or half of that by chance.
MOST_TRIES = 10 + AWAY / timedelta(minutes=2.5)


async def until_over(lapse: Lapse, duration: timedelta) -> None:
    """Let time pass as it does, with a sweep now and then."""
    passed = timedelta(0)
    while passed < duration:
        await lapse.passes(timedelta(minutes=1))
        passed += timedelta(minutes=1)


async def test_while_slack_is_away_the_first_request_after_a_start_is_carried_out(
    begun: World,
) -> None:
    step = begun.message("step:1")
    async with begun.second_bot() as bot:
        begun.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")

        with begun.slack.outage(troubles=[Trouble.SERVER_ERROR]):
            press = await begun.ann.press(step, "choose_account:new")

        assert press.ack.ok
        assert begun.current == 2


@ON_SQLITE
async def test_each_trouble_only_delays(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lapsing(database, monkeypatch) as (people, lapse):
        await people.begin()
        for number, trouble in enumerate(Trouble, start=1):
            await people.level()
            weather = people.slack.outage(troubles=[trouble], seed=number, silence=1.0)
            action = "choose_account:new" if number == 1 else "step_done"
            assert (await people.ann.press(people.the(number), action)).ack.ok
            await lapse.passes(timedelta(minutes=1))
            weather.end()

            await people.step_comes(number + 1)

        await people.level()
        nothing_is_twice(people)
        the_thread_is_pinned(people)
        assert len(weather.hits) > 0


@ON_SQLITE
async def test_an_outage_of_an_hour_costs_few_calls_and_shows_only_the_last_state(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lapsing(database, monkeypatch) as (people, lapse):
        await people.begin()
        await people.level()
        root = people.message("root")
        assert root
        before = len(people.slack.calls), len(root.versions)
        people.slack.outage(
            troubles=[Trouble.UNAVAILABLE], performed=0.0, lasts=AWAY.total_seconds()
        )
        await people.ann.press(people.the(1), "choose_account:new")
        for word in ("done", "done", "undo"):
            await people.ann.say(people.channel, word, root.ts)
        await until_over(lapse, AWAY - timedelta(minutes=10))
        assert people.message("step:2") is None
        tries = len([one for one in people.slack.calls[before[0] :] if "Message" in one.method])
        assert tries < MOST_TRIES

        await people.comes(lambda: people.message("step:3"))
        await people.level()

        nothing_is_twice(people)
        the_thread_is_pinned(people)
        assert len(root.versions) == before[1] + 1
        assert [people.the(number).versions for number in (2, 3)] == [[], []]
        assert offers(people.the(3), "step_done")
        assert people.message("step:4") is None


@ON_SQLITE
async def test_an_hour_that_slack_asks_to_wait_is_waited(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lapsing(database, monkeypatch) as (people, lapse):
        await people.begin()
        await people.level()
        people.slack.fail_next("chat.postMessage", retry_after=3600)
        await people.ann.press(people.the(1), "choose_account:new")
        await lapse.passes(timedelta(seconds=1))
        before = len(people.slack.calls_of("chat.postMessage"))
        await until_over(lapse, timedelta(minutes=58))
        assert len(people.slack.calls_of("chat.postMessage")) == before

        await until_over(lapse, timedelta(minutes=3))

        assert people.message("step:2")
