"""Few Slack calls at a human pace: the next step first, other edits once people pause."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from sandbox.slack import Call, offers
from tests.integration.test_thread import PUBLISH_STATE, PUBLISHED
from tests.integration.world import World

pytestmark = pytest.mark.virtual_time

SECONDS_PER_STEP = 20.0


@pytest.fixture
def edit_delays() -> None:
    """Defer edits as in production."""


async def do_steps(
    world: World, *steps: int, seconds_per_step: float = SECONDS_PER_STEP
) -> list[Call]:
    """Do steps one after another; return the Slack calls about messages."""
    before = len(world.slack.calls)
    for step in steps:
        await asyncio.sleep(seconds_per_step)
        action = "choose_account:new" if step == 1 else "step_done"
        await world.press(world.ann, f"step:{step}", action)
    return [call for call in world.slack.calls[before:] if call.method.startswith("chat.")]


def slots(calls: list[Call]) -> list[str]:
    return [call.arguments["metadata"]["event_payload"]["slot"] for call in calls]


async def test_a_step_takes_two_slack_calls_and_a_new_phase_one_more(begun: World) -> None:
    calls = await do_steps(begun, 1, 2, 3, 4, 5, 6, 7, 8)

    assert len(calls) <= 2.5 * 8
    assert slots(calls).count("root") == 2  # phases 2 and 3
    for step in range(1, 9):
        assert "✅" in begun.message(f"step:{step}").text
        assert offers(begun.message(f"step:{step}"), "step_undo")


async def test_deferred_edits_catch_up_when_people_pause(begun: World) -> None:
    await do_steps(begun, 1, 2, 3, 4, 5)
    assert "*Next:* <" in begun.message("root").blocks[1]["text"]["text"]
    assert "Step 6" not in begun.message("root").text

    await asyncio.sleep(2 * SECONDS_PER_STEP + 1)
    await begun.idle()

    assert "Step 6" in begun.message("root").text
    assert offers(begun.message("step:3"), "reopen_step")
    assert begun.rows(PUBLISH_STATE) == PUBLISHED


async def test_the_next_step_is_posted_before_the_root_links_to_it(
    begun: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.publishing.leisure.LONGEST", timedelta(0))
    await do_steps(begun, 1, 2)

    calls = await do_steps(begun, 3)

    assert slots(calls)[0] == "step:4"
    assert slots(calls)[-1] == "root"
    assert "Step 4" in begun.message("root").text


async def test_undo_hand_over_and_pause_show_immediately_at_any_pace(begun: World) -> None:
    await do_steps(begun, 1, 2, 3)

    await begun.press(begun.ann, "step:3", "step_undo")
    assert offers(begun.message("step:3"), "step_done")
    assert "Step 3" in begun.message("root").text

    await begun.press(begun.ann, "step:3", "hand_over")
    assert f"HeavySet Tech (<@{begun.erin.id}>)" in begun.message("root").blocks[1]["text"]["text"]

    await begun.type("pause")
    assert "On hold" in begun.message("root").text
    assert not offers(begun.message("step:2"), "step_undo")


async def test_deferred_edits_survive_a_restart(begun: World) -> None:
    await do_steps(begun, 1, 2, 3, 4, 5)
    await begun.bot.tasks.close(0)
    assert "Step 6" not in begun.message("root").text

    async with begun.second_bot(sweep_interval=5):
        await begun.slack.until(
            lambda: "Step 6" in begun.message("root").text, 2 * SECONDS_PER_STEP + 10
        )
        await begun.slack.until(lambda: offers(begun.message("step:3"), "reopen_step"))


async def test_rapid_pressing_is_slowed_only_by_slacks_rate_limit(begun: World) -> None:
    await asyncio.sleep(60)
    begun.slack.rate_limits.enabled = True
    loop, waits = asyncio.get_running_loop(), list[float]()
    for step in range(1, 20):
        began = loop.time()
        action = "choose_account:new" if step == 1 else "step_done"
        await begun.ann.press(begun.message(f"step:{step}"), action)
        await begun.slack.until(partial(begun.find, f"step:{step + 1}"))
        waits.append(loop.time() - began)

    assert max(waits) < 3.5  # Slack asks for three seconds, once; then the bot paces itself
    assert sorted(waits)[-2] < 3
    await begun.until(lambda: begun.rows(PUBLISH_STATE) == PUBLISHED, 180)
    assert "✅" in begun.message("step:19").text


async def test_the_next_step_is_posted_even_if_edits_are_rate_limited(begun: World) -> None:
    await do_steps(begun, 1)
    begun.slack.fail_next("chat.update", status=429, retry_after=50)

    await do_steps(begun, 2, 3, seconds_per_step=1)

    assert begun.find("step:4")
    assert offers(begun.message("step:3"), "step_done")  # stale, but harmless
    await begun.ann.press(begun.message("step:3"), "step_done")
    await begun.slack.until(lambda: "✅" in begun.message("step:3").text, 60)


async def test_retrying_a_failed_post_does_not_wait_for_a_rate_limited_edit(begun: World) -> None:
    await do_steps(begun, 1)
    begun.slack.fail_next("chat.postMessage", status=503)
    begun.slack.fail_next("chat.update", retry_after=60)

    await begun.press(begun.ann, "step:2", "step_done")
    assert begun.find("step:3") is None
    await asyncio.sleep(5)
    await begun.idle()

    assert begun.find("step:3")
