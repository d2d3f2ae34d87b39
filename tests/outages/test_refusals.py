"""Slack refuses for good: told once, not tried for ever, taken up again when it can be."""

import logging
from datetime import timedelta

import pytest

from bot.app.bot import Bot
from sandbox.slack import Channel
from tests.background import finished
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World, now
from tests.outages.lapse import lapsing

pytestmark = pytest.mark.virtual_time

REFUSED = "the engineering channel refuses announcements"
HOURS = 3


def posts(world: World, channel: Channel) -> int:
    """How often the bot tried to post in a channel."""
    calls = world.slack.calls_of("chat.postMessage")
    return sum(call.arguments.get("channel") == channel.id for call in calls)


async def ready(world: World) -> tuple[int, str]:
    return await world.get("/readyz")


async def shut_out(world: World) -> None:
    """Let something be announced while the engineering channel is archived."""
    await world.slack.admin.archive(world.engineering, world.erin)
    await ask(world, "Which portal?")


async def ask(world: World, question: str) -> None:
    form = await world.open(world.ann, "step:1", "step_help")
    assert (await world.submit(world.ann, form, question=question)).ok


async def test_a_lost_engineering_channel_is_told_in_the_log_and_at_readyz(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        await shut_out(begun)
        await ask(begun, "And which menu?")

    assert [one.message for one in caplog.records].count(REFUSED) == 1
    status, text = await ready(begun)
    assert status == 200
    assert "engineering channel: Slack refuses announcements (is_archived)" in text


async def test_a_lost_engineering_channel_is_left_alone(begun: World) -> None:
    await shut_out(begun)
    before = posts(begun, begun.engineering)

    await begun.press(begun.ann, "step:1", "choose_account:new")
    await ask_at(begun, 2)
    for _ in range(3):
        await begun.bot.sweep()
        await begun.idle()

    assert posts(begun, begun.engineering) == before
    assert begun.find("step:2")
    assert begun.rows("SELECT revision - published_revision FROM onboarding") == [(0,)]


async def ask_at(world: World, step: int) -> None:
    form = await world.open(world.ann, f"step:{step}", "step_help")
    assert (await world.submit(world.ann, form, question=f"What is step {step}?")).ok


async def test_what_it_was_to_be_told_comes_in_order_when_it_is_back(begun: World) -> None:
    await shut_out(begun)
    await ask(begun, "And which menu?")

    await begun.slack.admin.unarchive(begun.engineering, begun.erin)
    await begun.slack.delivered()
    begun.bot.slack.rate_limits.reset()  # what was left behind waits for some seconds else
    await begun.bot.sweep()
    await begun.idle()

    asked = [text for text in begun.announced if "needs help" in text]
    assert ["Which portal?" in asked[0], "And which menu?" in asked[1]] == [True, True]
    assert len(asked) == 2
    await begun.bot.sweep()
    assert (await ready(begun))[0] == 200


async def test_the_next_start_takes_up_what_was_not_announced(begun: World) -> None:
    await shut_out(begun)
    begun.engineering.is_archived = False  # nobody tells us

    async with begun.second_bot() as bot:
        await begun.slack.until(lambda: len(begun.announced) == 2 or None)
        await finished(bot.tasks)

    assert "Which portal?" in begun.announced[-1]


@ON_SQLITE
async def test_a_lost_engineering_channel_is_asked_once_an_hour(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lapsing(database, monkeypatch) as (people, lapse):
        await people.begin()
        await people.level()
        people.engineering.is_archived = True
        await people.ask_for_help(1)
        before = len(people.slack.calls_of("chat.postMessage"))
        for _ in range(HOURS * 60):
            await lapse.passes(timedelta(minutes=1))

        assert len(people.slack.calls_of("chat.postMessage")) - before in (HOURS - 1, HOURS)
        people.engineering.is_archived = False
        await lapse.passes(timedelta(hours=1))
        assert "needs help" in people.engineering.messages[-1].text


@ON_SQLITE
async def test_a_look_that_finds_nothing_due_does_not_silence_the_channel(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lapsing(database, monkeypatch) as (people, lapse):
        await people.begin()
        await people.level()
        people.engineering.is_archived = True
        await people.ask_for_help(1)
        later = now() + timedelta(hours=2)  # the thread concerned is in a backoff
        database.write("UPDATE onboarding SET publish_after = ?", later)
        for _ in range(90):
            await lapse.passes(timedelta(minutes=1))
        people.engineering.is_archived = False
        database.write("UPDATE onboarding SET publish_after = NULL")
        await lapse.passes(timedelta(minutes=1))

        assert "needs help" in people.engineering.messages[-1].text


async def ask_through(world: World, bot: Bot, question: str) -> None:
    """Ask for help, and have that worker carry it out."""
    world.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
    await world.ann.press(world.message("step:1"), "step_help")
    await finished(bot.tasks)
    await world.ann.submit(world.view_of(world.ann), {"question": question})
    await finished(bot.tasks)


async def left_behind(bot: Bot) -> None:
    bot.slack.rate_limits.reset()  # it waits for some seconds else
    await bot.sweep()
    await finished(bot.tasks)


async def test_what_another_worker_announces_opens_the_channel_for_this_one(begun: World) -> None:
    async with begun.second_bot() as other:
        await shut_out(begun)
        await ask_through(begun, other, "And which menu?")
        begun.slack.deliver_to(f"http://127.0.0.1:{begun.settings.port}/slack/events")
        await begun.slack.admin.unarchive(begun.engineering, begun.erin)  # one of them hears of it
        await begun.slack.delivered()
        await left_behind(begun.bot)
        await left_behind(other)

        await ask_through(begun, other, "And now?")

        for text, question in zip(
            begun.announced[-3:], ["Which portal?", "And which menu?", "And now?"], strict=True
        ):
            assert question in text
        assert not [line for line in other.health.warnings if "refuses" in line]


async def test_one_announcement_that_is_refused_does_not_keep_the_others_back(
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
async def test_a_thread_that_slack_refuses_is_told_of_once_and_not_tried_again(
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


async def test_what_was_refused_goes_on_after_the_next_start(begun: World) -> None:
    begun.slack.fail_next("chat.postMessage", error="missing_scope")
    await begun.press(begun.ann, "step:1", "choose_account:new")
    assert begun.rows("SELECT loss FROM onboarding") == [("refused",)]

    async with begun.second_bot() as bot:
        await begun.slack.until(lambda: begun.find("step:2"))
        await finished(bot.tasks)

    assert begun.rows("SELECT status FROM onboarding") == [("active",)]


async def test_when_slack_refuses_us_everywhere_the_log_and_readyz_have_it(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        begun.slack.admin.reinstall()
        begun.slack.fail_next("chat.postMessage", error="missing_scope", times=99)
        await begun.press(begun.ann, "step:1", "choose_account:new")
        for _ in range(3):
            await begun.bot.sweep()
            await begun.idle()

    assert [one.message for one in caplog.records].count(REFUSED) == 1
    assert "missing_scope" in (await ready(begun))[1]
    assert posts(begun, begun.channel) - 3 == 1  # root, welcome, step 1, and the refused one
