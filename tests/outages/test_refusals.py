"""Permanent Slack errors: reported once, not retried forever, and recovered from when possible."""

import logging
from datetime import timedelta

import pytest

from bot.app.bot import Bot
from sandbox.slack import Channel
from tests.background import wait_for_tasks
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World, now, reset_rate_limits
from tests.outages.time_lapse import time_lapse

pytestmark = pytest.mark.virtual_time

REFUSED = "the engineering channel refuses announcements"
HOURS = 3


def posts(world: World, channel: Channel) -> int:
    """How often the bot tried to post in a channel."""
    calls = world.slack.calls_of("chat.postMessage")
    return sum(call.arguments.get("channel") == channel.id for call in calls)


async def readiness(world: World) -> tuple[int, str]:
    return await world.get("/readyz")


async def archive_engineering_channel(world: World) -> None:
    """Archive the engineering channel, and trigger an announcement."""
    await world.slack.admin.archive(world.engineering, world.erin)
    await ask(world, "Which portal?")


async def ask(world: World, question: str) -> None:
    form = await world.open(world.ann, "step:1", "step_help")
    assert (await world.submit(world.ann, form, question=question)).ok


async def test_a_lost_engineering_channel_is_reported_in_the_log_and_at_readyz(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        await archive_engineering_channel(begun)
        await ask(begun, "And which menu?")

    assert [record.message for record in caplog.records].count(REFUSED) == 1
    status, text = await readiness(begun)
    assert status == 200
    assert "engineering channel: Slack refuses announcements (is_archived)" in text


async def test_a_lost_engineering_channel_gets_no_more_posts(begun: World) -> None:
    await archive_engineering_channel(begun)
    before = posts(begun, begun.engineering)

    await begun.press(begun.ann, "step:1", "choose_account:new")
    await ask_at_step(begun, 2)
    for _ in range(3):
        await begun.bot.sweep()
        await begun.idle()

    assert posts(begun, begun.engineering) == before
    assert begun.find("step:2")
    assert begun.rows("SELECT revision - published_revision FROM onboarding") == [(0,)]


async def ask_at_step(world: World, step: int) -> None:
    form = await world.open(world.ann, f"step:{step}", "step_help")
    assert (await world.submit(world.ann, form, question=f"What is step {step}?")).ok


async def test_missed_announcements_are_posted_in_order_after_unarchiving(begun: World) -> None:
    await archive_engineering_channel(begun)
    await ask(begun, "And which menu?")

    await begun.slack.admin.unarchive(begun.engineering, begun.erin)
    await begun.slack.delivered()
    reset_rate_limits(begun.bot.slack.rate_limits)  # otherwise the backlog waits a few seconds
    await begun.bot.sweep()
    await begun.idle()

    asked = [text for text in begun.announced if "needs help" in text]
    assert ["Which portal?" in asked[0], "And which menu?" in asked[1]] == [True, True]
    assert len(asked) == 2
    await begun.bot.sweep()
    assert (await readiness(begun))[0] == 200


async def test_a_restart_posts_missed_announcements(begun: World) -> None:
    await archive_engineering_channel(begun)
    begun.engineering.is_archived = False  # without an event to the bot

    async with begun.second_bot() as bot:
        await begun.slack.until(lambda: len(begun.announced) == 2 or None)
        await wait_for_tasks(bot.tasks)

    assert "Which portal?" in begun.announced[-1]


@ON_SQLITE
async def test_a_lost_engineering_channel_is_retried_once_an_hour(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with time_lapse(database, monkeypatch) as (people, lapse):
        await people.begin()
        await people.wait_until_caught_up()
        people.engineering.is_archived = True
        await people.ask_for_help(1)
        before = len(people.slack.calls_of("chat.postMessage"))
        for _ in range(HOURS * 12):
            await lapse.advance(timedelta(minutes=5))

        assert len(people.slack.calls_of("chat.postMessage")) - before in (HOURS - 1, HOURS)
        people.engineering.is_archived = False
        await lapse.advance(timedelta(hours=1))
        assert "needs help" in people.engineering.messages[-1].text


@ON_SQLITE
async def test_an_hourly_retry_with_nothing_due_does_not_silence_the_channel(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with time_lapse(database, monkeypatch) as (people, lapse):
        await people.begin()
        await people.wait_until_caught_up()
        people.engineering.is_archived = True
        await people.ask_for_help(1)
        later = now() + timedelta(hours=2)  # as if the thread were backing off
        database.write("UPDATE onboarding SET publish_after = ?", later)
        for _ in range(18):
            await lapse.advance(timedelta(minutes=5))
        people.engineering.is_archived = False
        database.write("UPDATE onboarding SET publish_after = NULL")
        await lapse.advance(timedelta(minutes=1))

        assert "needs help" in people.engineering.messages[-1].text


async def ask_through(world: World, bot: Bot, question: str) -> None:
    """Ask for help, and have the given worker handle it."""
    world.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
    await world.ann.press(world.message("step:1"), "step_help")
    await wait_for_tasks(bot.tasks)
    await world.ann.submit(world.view_of(world.ann), {"question": question})
    await wait_for_tasks(bot.tasks)


async def sweep_now(bot: Bot) -> None:
    reset_rate_limits(bot.slack.rate_limits)  # otherwise it waits a few seconds
    await bot.sweep()
    await wait_for_tasks(bot.tasks)


async def test_one_workers_announcement_reopens_the_channel_for_the_other(begun: World) -> None:
    async with begun.second_bot() as other:
        await archive_engineering_channel(begun)
        await ask_through(begun, other, "And which menu?")
        begun.slack.deliver_to(f"http://127.0.0.1:{begun.settings.port}/slack/events")
        await begun.slack.admin.unarchive(begun.engineering, begun.erin)  # only one gets the event
        await begun.slack.delivered()
        await sweep_now(begun.bot)
        await sweep_now(other)

        await ask_through(begun, other, "And now?")

        for text, question in zip(
            begun.announced[-3:], ["Which portal?", "And which menu?", "And now?"], strict=True
        ):
            assert question in text
        assert not [line for line in other.health.warnings if "refuses" in line]


async def test_an_announcement_of_a_worker_that_is_gone_is_posted_within_the_hour(
    begun: World,
) -> None:
    later = [timedelta()]
    async with begun.second_bot(clock=lambda: now() + later[0]) as other:
        await sweep_now(other)  # it finds nothing to announce
        await archive_engineering_channel(begun)
        begun.engineering.is_archived = False  # without an event to the bot, which says no more

        later[0] = timedelta(hours=1)
        await sweep_now(other)

    assert "Which portal?" in begun.announced[-1]


async def test_one_refused_announcement_does_not_block_the_others(
    begun: World,
) -> None:
    begun.slack.fail_next("chat.postMessage", error="invalid_blocks")
    await ask(begun, "Which portal?")
    await ask(begun, "And which menu?")

    assert "And which menu?" in begun.announced[-1]
    before = posts(begun, begun.engineering)
    await begun.catch_up()
    assert posts(begun, begun.engineering) == before


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("channel_not_found", "removed"),
        ("not_in_channel", "removed"),
        ("is_archived", "archived"),
        ("token_revoked", "uninstalled"),
        ("missing_scope", "`missing_scope`"),
        ("restricted_action", "`restricted_action`"),
    ],
)
async def test_a_refused_thread_is_reported_once_and_not_retried(
    begun: World, code: str, word: str
) -> None:
    def in_the_thread(arguments: dict[str, object]) -> bool:
        return arguments["channel"] == begun.channel.id

    for method in ("chat.postMessage", "chat.update"):
        begun.slack.fail_next(method, error=code, times=99, predicate=in_the_thread)
    await begun.press(begun.ann, "step:1", "choose_account:new")
    before = len(begun.slack.calls)
    for _ in range(3):
        await begun.catch_up()

    paused = [text for text in begun.announced if "is paused" in text]
    assert len(paused) == 1
    assert word in paused[0]
    assert len(begun.slack.calls) == before
    assert begun.rows("SELECT status FROM onboarding") == [("paused",)]


async def test_a_refused_onboarding_resumes_after_a_restart(begun: World) -> None:
    begun.slack.fail_next("chat.postMessage", error="missing_scope")
    await begun.press(begun.ann, "step:1", "choose_account:new")
    assert begun.rows("SELECT loss FROM onboarding") == [("refused",)]

    async with begun.second_bot() as bot:
        await begun.slack.until(lambda: begun.find("step:2"))
        await wait_for_tasks(bot.tasks)

    assert begun.rows("SELECT status FROM onboarding") == [("active",)]


async def test_being_refused_everywhere_is_reported_in_the_log_and_at_readyz(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        begun.slack.admin.reinstall()
        begun.slack.fail_next("chat.postMessage", error="missing_scope", times=99)
        await begun.press(begun.ann, "step:1", "choose_account:new")
        for _ in range(3):
            await begun.bot.sweep()
            await begun.idle()

    assert [record.message for record in caplog.records].count(REFUSED) == 1
    assert "missing_scope" in (await readiness(begun))[1]
    assert posts(begun, begun.channel) - 3 == 1  # root, welcome, step 1, and the refused one
