"""A Slack outage, whether brief or hours long, only delays the thread and costs few calls."""

from datetime import timedelta

import pytest

from sandbox.slack import Trouble, offers
from tests.crash.final_state import assert_no_duplicates, assert_pinned
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World
from tests.outages.time_lapse import TimeLapse, time_lapse

pytestmark = pytest.mark.virtual_time

OUTAGE = timedelta(hours=1)
# The longest delay between two attempts is five minutes, or half of that with jitter.
MAX_ATTEMPTS = 10 + OUTAGE / timedelta(minutes=2.5)


async def advance_by_minutes(lapse: TimeLapse, duration: timedelta) -> None:
    """Let time pass in steps of one minute, with a sweep after each."""
    passed = timedelta(0)
    while passed < duration:
        await lapse.advance(timedelta(minutes=1))
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
    async with time_lapse(database, monkeypatch) as (people, lapse):
        await people.begin()
        for number, trouble in enumerate(Trouble, start=1):
            await people.wait_until_caught_up()
            outage = people.slack.outage(troubles=[trouble], seed=number, silence=1.0)
            action = "choose_account:new" if number == 1 else "step_done"
            assert (await people.ann.press(people.step_message(number), action)).ack.ok
            await lapse.advance(timedelta(minutes=1))
            outage.end()

            await people.wait_for_step(number + 1)

        await people.wait_until_caught_up()
        assert_no_duplicates(people)
        assert_pinned(people)
        assert len(outage.hits) > 0


@ON_SQLITE
async def test_an_hour_long_outage_costs_few_calls_and_shows_the_final_state(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with time_lapse(database, monkeypatch) as (people, lapse):
        await people.begin()
        await people.wait_until_caught_up()
        root = people.message("root")
        assert root
        before = len(people.slack.calls), len(root.versions)
        people.slack.outage(
            troubles=[Trouble.UNAVAILABLE], performed=0.0, lasts=OUTAGE.total_seconds()
        )
        await people.ann.press(people.step_message(1), "choose_account:new")
        for word in ("done", "done", "undo"):
            await people.ann.say(people.channel, word, root.ts)
        await advance_by_minutes(lapse, OUTAGE - timedelta(minutes=10))
        assert people.message("step:2") is None
        attempts = len(
            [call for call in people.slack.calls[before[0] :] if "Message" in call.method]
        )
        assert attempts < MAX_ATTEMPTS

        await people.wait_for(lambda: people.message("step:3"))
        await people.wait_until_caught_up()

        assert_no_duplicates(people)
        assert_pinned(people)
        assert len(root.versions) == before[1] + 1
        assert [people.step_message(number).versions for number in (2, 3)] == [[], []]
        assert offers(people.step_message(3), "step_done")
        assert people.message("step:4") is None


@ON_SQLITE
async def test_an_hour_long_retry_after_is_honored(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with time_lapse(database, monkeypatch) as (people, lapse):
        await people.begin()
        await people.wait_until_caught_up()
        people.slack.fail_next("chat.postMessage", retry_after=3600)
        await people.ann.press(people.step_message(1), "choose_account:new")
        await lapse.advance(timedelta(seconds=1))
        before = len(people.slack.calls_of("chat.postMessage"))
        await advance_by_minutes(lapse, timedelta(minutes=58))
        assert len(people.slack.calls_of("chat.postMessage")) == before

        await advance_by_minutes(lapse, timedelta(minutes=3))

        assert people.message("step:2")
