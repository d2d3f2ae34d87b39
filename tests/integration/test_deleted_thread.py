"""Someone, or a retention rule, deletes what the bot posted: the thread is reposted, once."""

from collections.abc import Callable

import pytest

from sandbox.slack import offers
from tests.background import wait_for_tasks
from tests.databases import ON_BOTH
from tests.integration.world import World, from_now, last_reply

REPLY_OUTCOMES = ["top", "refused", "tombstone"]
DELETION_EVENTS = ["deleted", "tombstone", "silent"]

each_reply_outcome = pytest.mark.parametrize("reply_outcome", REPLY_OUTCOMES)
each_deletion_event = pytest.mark.parametrize("event", DELETION_EVENTS)
# Once the bot knows of the deletion, it doesn't matter what Slack would do with a reply.
each_combination = pytest.mark.parametrize(
    ("reply_outcome", "event"),
    [
        *((reply_outcome, "silent") for reply_outcome in REPLY_OUTCOMES),
        ("top", "deleted"),
        ("top", "tombstone"),
    ],
)


def message_slots(world: World) -> list[str]:
    """The slots in the channel, all of which must belong to the one existing thread."""
    roots = {message.ts for message in world.channel.messages if message.slot == "root"}
    ours = [message for message in world.channel.messages if message.slot]
    assert [
        message.slot
        for message in ours
        if message.slot != "root" and message.thread_ts not in roots
    ] == []
    assert len(roots) == 1
    return sorted(world.slots())


async def delete_root(world: World, reply_outcome: str = "top", event: str = "deleted") -> None:
    world.slack.doubts.reply_to_deleted = reply_outcome  # type: ignore[assignment]
    world.slack.doubts.deletion_leaves_tombstone = event == "tombstone"
    await world.slack.admin.delete(world.message("root"), told=event != "silent")
    await world.slack.delivered()
    await world.idle()


async def values(world: World) -> list[tuple[object, ...]]:
    return world.rows("SELECT field, ciphertext FROM credential ORDER BY field")


@each_combination
async def test_a_deleted_thread_is_posted_again(
    begun: World, reply_outcome: str, event: str
) -> None:
    await begun.walk_to(12)
    await begun.enter(begun.ann, 11, booking_provider_id="123456789")
    before, kept = message_slots(begun), await values(begun)
    old = begun.message("root").ts

    await delete_root(begun, reply_outcome, event)
    await begun.press(begun.ann, "step:12", "step_done")
    await begun.catch_up()

    assert message_slots(begun) == sorted([*before, "step:13"])
    root = begun.message("root")
    assert root.ts != old
    assert begun.rows("SELECT thread_ts FROM onboarding") == [(root.ts,)]
    assert begun.current == 13
    assert offers(begun.message("step:13"), "step_done")
    assert await values(begun) == kept
    assert root.ts in begun.channel.pins
    [bookmark] = begun.channel.bookmarks
    assert root.ts.replace(".", "") in bookmark["link"]
    assert len([text for text in begun.announced if "posted the thread again" in text]) == 1
    await begun.assert_consistent()


@each_deletion_event
async def test_the_thread_is_reposted_immediately_if_slack_reports_its_deletion(
    begun: World, event: str
) -> None:
    await delete_root(begun, event=event)

    assert (begun.find("root") is not None) == (event != "silent")


@each_reply_outcome
async def test_resume_reposts_the_thread_of_a_paused_onboarding(
    begun: World, reply_outcome: str
) -> None:
    await begun.type("pause")
    await delete_root(begun, reply_outcome, "silent")

    reply = await begun.type("resume")
    await begun.idle()

    assert "Resumed" in reply.text
    assert begun.rows("SELECT status FROM onboarding") == [("active",)]
    assert message_slots(begun) == ["jump:2", "root", "step:1", "welcome"]


@each_reply_outcome
async def test_starting_the_same_client_again_reposts_its_thread(
    begun: World, reply_outcome: str
) -> None:
    await delete_root(begun, reply_outcome, "silent")

    reply = await begun.type("start Acme Plumbing")

    assert "already" in reply.text
    assert message_slots(begun) == ["root", "step:1", "welcome"]


@each_combination
async def test_a_cancelled_onboarding_gets_no_new_thread(
    begun: World, reply_outcome: str, event: str
) -> None:
    await begun.type("cancel")
    await begun.submit(begun.erin, begun.view_of(begun.erin), reason="They left.")
    await delete_root(begun, reply_outcome, event)
    await begun.catch_up()

    assert begun.find("root") is None
    assert begun.rows("SELECT status FROM onboarding") == [("cancelled",)]


@each_reply_outcome
async def test_cancel_works_though_the_thread_was_deleted_unnoticed(
    begun: World, reply_outcome: str
) -> None:
    await delete_root(begun, reply_outcome, "silent")

    await begun.type("cancel")
    await begun.submit(begun.erin, begun.view_of(begun.erin), reason="They left.")
    await begun.catch_up()

    assert begun.rows("SELECT status FROM onboarding") == [("cancelled",)]
    assert begun.rows("SELECT revision = published_revision FROM onboarding") == [(1,)]
    top_level = [
        message for message in begun.channel.messages if message.slot and message.thread_ts is None
    ]
    assert top_level == []


@ON_BOTH
async def test_everything_is_reposted_after_a_retention_rule_deletes_it(begun: World) -> None:
    await begun.walk_to(5)
    before = message_slots(begun)
    await begun.slack.admin.delete(
        *[message for message in begun.channel.messages if message.slot], told=False
    )

    await begun.type("start Acme Plumbing")
    await begun.catch_up()

    assert message_slots(begun) == before
    await begun.assert_consistent()


@pytest.mark.parametrize("reported", [True, False])
async def test_a_deleted_current_step_is_posted_again(begun: World, reported: bool) -> None:
    await begun.walk_to(3)
    await begun.slack.admin.delete(begun.message("step:3"), told=reported)
    await begun.slack.delivered()
    await begun.idle()
    if not reported:
        await begun.ann.say(begun.channel, "done", begun.message("root").ts)
        await begun.slack.delivered()
        await begun.idle()
    await begun.catch_up()

    assert offers(begun.message(f"step:{begun.current}"), "step_done")


async def test_replies_in_the_deleted_thread_still_count(begun: World) -> None:
    old = begun.message("root").ts
    await delete_root(begun)

    await begun.ann.say(begun.channel, "new", old)
    await begun.slack.delivered()
    await begun.idle()

    assert begun.current == 2


async def test_a_button_in_the_deleted_thread_says_its_step_is_finished(begun: World) -> None:
    await begun.walk_to(3)
    old = begun.message("step:2")
    await delete_root(begun)

    await begun.ann.press_raw(old, "step_done", f"{begun.onboarding}:2")
    await begun.idle()

    assert "already finished" in last_reply(begun.ann)
    assert begun.current == 3


@ON_BOTH
async def test_two_workers_repost_the_thread_once(begun: World) -> None:
    await begun.walk_to(6)
    before = message_slots(begun)
    async with begun.second_bot() as other:
        await delete_root(begun)
        other.publisher.wake(begun.onboarding)
        begun.bot.publisher.wake(begun.onboarding)
        await wait_for_tasks(other.tasks)
        await begun.catch_up()

        assert message_slots(begun) == before
    await begun.assert_consistent()


async def test_deleting_a_persons_message_posts_nothing(begun: World) -> None:
    message = await begun.ann.say(begun.channel, "Hello!", begun.message("root").ts)
    posts = len(begun.slack.calls_of("chat.postMessage"))

    await begun.ann.delete(message)
    await begun.idle()

    assert len(begun.slack.calls_of("chat.postMessage")) == posts


async def test_a_completed_onboardings_thread_is_not_reposted(
    begun: World,
) -> None:
    begun.write(
        "UPDATE onboarding SET status = 'completed', finished_at = ?",
        from_now(days=-30).replace(tzinfo=None),
    )
    await delete_root(begun)
    await begun.catch_up()

    assert begun.find("root") is None


async def test_a_reply_returned_without_thread_ts_is_not_seen_as_a_deletion(
    begun: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    omit_thread_ts(begun, monkeypatch)

    await begun.press(begun.ann, "step:1", "choose_account:new")
    await begun.catch_up()

    assert begun.slots() == ["root", "welcome", "step:1", "step:2"]
    assert not begun.events("thread_deleted")


def omit_thread_ts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make Slack's responses omit `thread_ts`."""
    client = world.bot.slack._client
    post: Callable[..., object] = client.chat_postMessage

    async def post_without_thread_ts(**arguments: object) -> object:
        answer = await post(**arguments)  # type: ignore[misc]
        answer["message"].pop("thread_ts", None)
        return answer

    monkeypatch.setattr(client, "chat_postMessage", post_without_thread_ts)
