"""The thread after faults: it catches up in the end, and nothing is posted twice."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.publishing.thread import EDITS_AT_ONCE
from sandbox.slack import Call, offers
from tests.background import wait_for_tasks
from tests.integration.world import World, from_now

pytestmark = pytest.mark.virtual_time

PUBLISH_STATE = "SELECT revision = published_revision, lease_owner IS NULL FROM onboarding"
PUBLISHED = [(1, 1)]


def slot_is(slot: str) -> Callable[[dict[str, Any]], bool]:
    """Match calls whose message has this slot; a trailing `*` matches anything."""

    def matches(arguments: dict[str, Any]) -> bool:
        found = arguments.get("metadata") or {}
        metadata = json.loads(found) if isinstance(found, str) else found
        name = str(metadata.get("event_payload", {}).get("slot", ""))
        return name.startswith(slot[:-1]) if slot.endswith("*") else name == slot

    return matches


def fault_occurred(world: World) -> bool:
    """Whether a call hit an injected fault."""
    return any(call.answer.get("error") == "fault" for call in world.slack.calls)


def message_calls(world: World) -> list[Call]:
    """The calls that post, edit, or look up messages."""
    return [call for call in world.slack.calls if call.method.startswith(("chat", "conversations"))]


async def choose(world: World) -> None:
    await world.press(world.ann, "step:1", "choose_account:new")


async def test_a_post_with_a_lost_response_is_found_and_not_repeated(begun: World) -> None:
    begun.slack.fail_next(
        "chat.postMessage", drop=True, performed=True, predicate=slot_is("step:2")
    )
    await choose(begun)
    assert begun.rows("SELECT ts FROM message WHERE slot = 'step:2'") == [(None,)]

    await begun.catch_up()

    assert begun.slots() == ["root", "welcome", "step:1", "step:2"]
    saved = begun.rows("SELECT ts FROM message WHERE slot = 'step:2'")
    assert saved == [(begun.message("step:2").ts,)]
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_a_root_post_with_a_lost_response_still_starts_only_one_thread(world: World) -> None:
    world.slack.fail_next("chat.postMessage", drop=True, performed=True, predicate=slot_is("root"))
    await world.type("start Acme")
    await world.submit(world.erin, world.view_of(world.erin))

    await world.catch_up()

    assert world.slots() == ["root", "welcome", "step:1"]
    root = world.message("root")
    assert {message.thread_ts for message in world.channel.messages} == {None, root.ts}


async def test_a_recovered_message_is_updated_to_the_latest_state(begun: World) -> None:
    begun.slack.fail_next(
        "chat.postMessage", drop=True, performed=True, predicate=slot_is("step:2")
    )
    await choose(begun)
    await begun.ann.press(begun.message("step:2"), "step_done")

    await begun.catch_up()

    assert begun.slots() == ["root", "welcome", "step:1", "step:2", "step:3"]
    assert "✅" in begun.message("step:2").text


async def test_a_post_that_never_reached_slack_is_retried(begun: World) -> None:
    begun.slack.fail_next("chat.postMessage", drop=True, predicate=slot_is("step:2"))
    await choose(begun)
    assert begun.find("step:2") is None

    await begun.catch_up()

    assert begun.slots() == ["root", "welcome", "step:1", "step:2"]


async def test_a_rate_limit_delay_is_stored_without_holding_a_lease(begun: World) -> None:
    begun.slack.fail_next(
        "chat.postMessage", status=429, retry_after=30, predicate=slot_is("step:2")
    )
    await choose(begun)
    before = len(message_calls(begun))

    [(until, owner)] = begun.rows("SELECT publish_after, lease_owner FROM onboarding")
    assert from_now(seconds=25) < until <= from_now(seconds=31)
    assert owner is None
    await begun.bot.sweep()
    await begun.idle()
    assert len(message_calls(begun)) == before

    await begun.catch_up()
    assert begun.slots() == ["root", "welcome", "step:1", "step:2"]


async def test_publishing_resumes_automatically_after_a_rate_limit(begun: World) -> None:
    begun.slack.fail_next(
        "chat.postMessage", status=429, retry_after=1, predicate=slot_is("step:2")
    )

    await choose(begun)
    assert begun.find("step:2") is None

    await begun.slack.until(lambda: begun.find("step:2"))


async def test_after_a_rate_limit_only_the_newest_state_is_shown(begun: World) -> None:
    begun.slack.fail_next("chat.update", status=429, retry_after=1, times=2)
    await choose(begun)
    before = len(begun.slack.calls_of("chat.update"))
    await begun.press(begun.ann, "step:2", "step_done")
    assert begun.find("step:3")  # Slack has rate-limited only the edits
    assert len(begun.slack.calls_of("chat.update")) == before

    await begun.slack.until(lambda: "2 of 22, then" in begun.message("root").text)
    await begun.idle()

    assert len(begun.message("step:1").versions) == 1
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"error": "internal_error"}],
    ids=["500", "internal_error"],
)
async def test_slack_server_errors_only_delay_publishing(
    begun: World, method: str, fault: dict[str, Any]
) -> None:
    begun.slack.fail_next(method, predicate=slot_is("step:*"), **fault)
    await choose(begun)
    assert fault_occurred(begun)

    await begun.catch_up()

    assert begun.slots() == ["root", "welcome", "step:1", "step:2"]
    assert offers(begun.message("step:2"), "step_done")
    assert not offers(begun.message("step:1"), "choose_account:new")
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_a_failed_edit_does_not_block_the_next_step(begun: World) -> None:
    begun.slack.fail_next("chat.update", status=500, predicate=slot_is("root"))

    await choose(begun)

    assert fault_occurred(begun)
    assert offers(begun.message("step:2"), "step_done")


async def test_an_edit_that_slack_refuses_is_retried(begun: World) -> None:
    begun.slack.fail_next("chat.update", error="block_mismatch", predicate=slot_is("step:1"))
    await choose(begun)
    assert offers(begun.message("step:1"), "choose_account:new")

    await begun.catch_up()

    assert not offers(begun.message("step:1"), "choose_account:new")
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_many_edits_are_saved_in_small_batches(begun: World) -> None:
    """So a crash repeats one batch at most, even if crashes keep happening."""
    await begun.walk_to(18)
    unsaved: list[int] = []

    async def record_unsaved(moment: str, method: str, _arguments: dict[str, Any]) -> bool:
        if (moment, method) == ("arrived", "chat.update"):
            query = "SELECT count(*) FROM message WHERE ts IS NOT NULL AND digest IS NULL"
            unsaved.append(begun.rows(query)[0][0])
        return True

    begun.slack.guard(record_unsaved)
    await begun.type("pause")

    assert len(unsaved) > 2 * EDITS_AT_ONCE
    assert unsaved[-1] <= len(unsaved) % EDITS_AT_ONCE + 1  # the root's digest is unsaved, too
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_a_deleted_message_with_buttons_is_posted_again(begun: World) -> None:
    await begun.walk_to(3)
    await begun.press(begun.ann, "step:3", "step_done")
    begun.channel.messages.remove(begun.message("step:3"))
    old = begun.message("step:4")

    value = f"{begun.onboarding}:3"
    await begun.ann.press_raw(old, "step_undo", value)
    await begun.idle()
    await begun.catch_up()

    assert offers(begun.message("step:3"), "step_done")
    assert begun.slots().count("step:3") == 1
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_a_deleted_message_without_buttons_stays_deleted(begun: World) -> None:
    begun.channel.messages.remove(begun.message("step:1"))

    await begun.ann.press_raw(
        begun.message("root"), "choose_account:existing", f"{begun.onboarding}:1"
    )
    await begun.idle()
    await begun.catch_up()

    assert begun.slots() == ["root", "welcome", "step:2", "step:3"]
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_a_sweep_catches_up_after_a_crash_once_the_lease_expires(begun: World) -> None:
    begun.write("UPDATE onboarding SET lease_owner = 'dead', lease_until = ?", from_now(hours=1))
    await choose(begun)
    await begun.bot.sweep()
    await begun.idle()
    assert begun.find("step:2") is None  # another worker appears to hold the lease

    await begun.catch_up()

    assert begun.slots() == ["root", "welcome", "step:1", "step:2"]
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_a_restart_catches_up_after_a_crash(begun: World) -> None:
    begun.write("UPDATE onboarding SET lease_owner = 'dead', lease_until = ?", from_now(hours=1))
    await choose(begun)
    begun.write("UPDATE onboarding SET lease_until = ?", from_now(seconds=-1))

    async with begun.second_bot():
        await begun.slack.until(lambda: begun.find("step:2"))


async def test_unchanged_messages_are_not_edited(begun: World) -> None:
    await begun.walk_to(3)
    begun.write("UPDATE onboarding SET revision = revision + 1")
    before = len(message_calls(begun))

    await begun.bot.sweep()
    await begun.idle()

    assert len(message_calls(begun)) == before
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_two_bots_on_one_database_post_nothing_twice(begun: World) -> None:
    root, onboarding = begun.message("root"), begun.onboarding
    async with begun.second_bot() as other:
        for step in range(1, 9):
            action = "choose_account:new" if step == 1 else "step_done"
            await begun.ann.press_raw(root, action, f"{onboarding}:{step}")
            other.publisher.wake(onboarding)
            await asyncio.gather(begun.bot.sweep(), other.sweep())
        await asyncio.gather(begun.idle(), wait_for_tasks(other.tasks))
    await begun.catch_up()

    steps = [f"step:{number}" for number in range(1, 10)]
    assert begun.slots() == ["root", "welcome", *steps]
    assert len(begun.announced) == 1
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_an_announcement_with_a_lost_response_is_posted_once(world: World) -> None:
    world.slack.fail_next(
        "chat.postMessage", drop=True, performed=True, predicate=slot_is("announcement:*")
    )
    await world.begin()

    await world.catch_up()
    await world.catch_up()

    assert len(world.announced) == 1
    assert world.rows("SELECT count(*) FROM event WHERE announced_ts IS NULL") == [(0,)]


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 500}, {"drop": True}])
async def test_a_failed_announcement_is_retried(world: World, fault: dict[str, Any]) -> None:
    world.slack.fail_next("chat.postMessage", predicate=slot_is("announcement:*"), **fault)
    await world.begin()
    assert world.announced == []

    await world.catch_up()

    assert len(world.announced) == 1
    assert world.slots() == ["root", "welcome", "step:1"]


async def test_an_archived_engineering_channel_does_not_block_the_thread(begun: World) -> None:
    await begun.walk_to(22)
    begun.slack.fail_next("chat.postMessage", error="is_archived", predicate=slot_is("ann*"))

    assert (await begun.enter(begun.ann, 22, **begun.servicetitan.credentials)).ok
    assert fault_occurred(begun)
    assert begun.find("verification:1")

    await begun.catch_up()
    assert any("check 1 passed" in text for text in begun.announced)


async def test_a_lost_step_is_reposted_even_if_the_bot_cannot_read_the_thread(begun: World) -> None:
    begun.slack.doubts.bots_read_replies = False
    begun.slack.fail_next("chat.postMessage", drop=True, predicate=slot_is("step:2"))
    await choose(begun)

    await begun.catch_up()

    assert offers(begun.message("step:2"), "step_done")


async def test_a_post_with_a_lost_response_is_found_even_after_a_rate_limit(begun: World) -> None:
    post, step = "chat.postMessage", slot_is("step:2")
    begun.slack.fail_next(post, drop=True, performed=True, predicate=step)
    await choose(begun)
    begun.slack.fail_next("conversations.replies", error="missing_scope")
    begun.slack.fail_next(post, status=429, retry_after=30, predicate=step)
    await begun.catch_up()  # the lookup fails, and then the repost is rate-limited

    await begun.catch_up()

    assert begun.slots().count("step:2") == 1


async def test_an_edit_with_a_lost_response_is_reverted_on_undo(begun: World) -> None:
    begun.slack.fail_next("chat.update", drop=True, performed=True, predicate=slot_is("step:1"))
    await choose(begun)
    assert offers(begun.message("step:1"), "step_undo")

    await begun.press(begun.ann, "step:1", "step_undo")
    await begun.catch_up()

    assert offers(begun.message("step:1"), "choose_account:new")
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"retry_after": 30}], ids=["unavailable", "rate_limited"]
)
async def test_the_root_message_never_gets_ahead_of_the_posted_step(
    begun: World, fault: dict[str, Any]
) -> None:
    root, before = begun.message("root"), len(begun.slack.calls_of("chat.update"))
    shown = root.text
    begun.slack.fail_next("chat.postMessage", **fault)

    await begun.press(begun.ann, "step:1", "choose_account:new")

    assert begun.find("step:2") is None
    assert root.text == shown
    await begun.catch_up()
    assert "Step 2" in root.text
    edited = [call.arguments["ts"] for call in begun.slack.calls_of("chat.update")[before:]]
    assert edited.count(root.ts) == 1
