"""A Slack outage, whether brief or hours long, only delays the thread and costs few calls."""

from datetime import timedelta

import pytest

from sandbox.slack import Trouble, offers
from tests.crash.final_state import nothing_is_twice, the_thread_is_pinned
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World
from tests.outages.time_lapse import Lapse, lapsing

pytestmark = pytest.mark.virtual_time

AWAY = timedelta(hours=1)
# The longest delay between two attempts is five minutes, or half of that with jitter.
MOST_TRIES = 10 + AWAY / timedelta(minutes=2.5)


async def until_over(lapse: Lapse, duration: timedelta) -> None:
    """Let time pass in steps of one minute, with a sweep after each."""
    passed = timedelta(0)
    while passed < duration:
        await lapse.passes(timedelta(minutes=1))
        passed += timedelta(minutes=1)


async def test_the_first_request_after_a_start_works_during_a_slack_outage(
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
async def test_every_kind_of_slack_failure_only_delays_the_next_step(
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
async def test_an_hour_long_outage_costs_few_calls_and_shows_the_final_state(
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
async def test_an_hour_long_retry_after_is_honored(
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
