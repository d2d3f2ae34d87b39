"""Private replies reach the person through chat.postEphemeral or the response_url, with retries."""

import logging
from typing import Any

import pytest

import bot.slack.private_delivery
from tests.integration.test_status_pages import add_onboarding
from tests.integration.world import World, last_reply

pytestmark = pytest.mark.virtual_time

EPHEMERAL, URL = "chat.postEphemeral", "response_url"
REFUSALS: list[dict[str, Any]] = [
    {"status": 404, "body": "used_url"},
    {"status": 404, "body": "expired_url"},
    {"status": 404, "body": "no_text"},
    {"status": 410},
    {"status": 403, "body": "action_prohibited"},
    {"status": 400, "body": '{"ok": false, "error": "invalid_payload"}'},
    {"status": 200, "body": '{"ok": false, "error": "expired_url"}'},
    {"status": 200, "body": "used_url"},
    {"status": 501},
]
OUTAGES: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503},
    {"retry_after": 1},
    {"drop": True},
    {"status": 403},  # a web page: a proxy's, not Slack's
]
without_pauses = pytest.mark.usefixtures("no_delivery_pauses")


@pytest.fixture
def no_delivery_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.slack.private_delivery, "PAUSES_SECONDS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(bot.slack.private_delivery, "LONGEST_WAIT_SECONDS", 0.0)


@pytest.fixture
async def step_1_done(begun: World) -> World:
    """A world with step 1 done, so pressing its button again is refused."""
    await begun.walk_to(2)
    return begun


async def press_again(world: World) -> None:
    await world.ann.press_raw(world.message("step:1"), "step_done", f"{world.onboarding}:1")
    await world.idle()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [record for record in caplog.records if record.message == "a private answer was lost"]
    assert not [record for record in caplog.records if record.exc_info]
    return [vars(record)["reason"] for record in records]


@without_pauses
@pytest.mark.parametrize("fault", [{"error": "user_not_in_channel"}, *OUTAGES], ids=str)
async def test_a_failed_ephemeral_is_delivered_through_the_response_url(
    step_1_done: World, fault: dict[str, Any]
) -> None:
    step_1_done.slack.fail_next(EPHEMERAL, times=9, **fault)

    await press_again(step_1_done)

    assert "already finished" in last_reply(step_1_done.ann)


@without_pauses
@pytest.mark.parametrize("fault", REFUSALS, ids=str)
async def test_an_undeliverable_reply_logs_one_warning(
    step_1_done: World, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    step_1_done.slack.fail_next(EPHEMERAL, times=9, error="user_not_in_channel")
    step_1_done.slack.fail_next(URL, times=9, **fault)

    await press_again(step_1_done)

    assert not step_1_done.ann.ephemerals
    [reason] = warnings(caplog)
    assert "response_url" in reason


@without_pauses
@pytest.mark.parametrize("fault", OUTAGES, ids=str)
async def test_a_reply_is_retried_until_slack_is_back(
    step_1_done: World, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    step_1_done.slack.fail_next(EPHEMERAL, times=9, error="user_not_in_channel")
    step_1_done.slack.fail_next(URL, times=2, **fault)

    await press_again(step_1_done)

    assert "already finished" in last_reply(step_1_done.ann)
    assert warnings(caplog) == []


@without_pauses
@pytest.mark.parametrize("fault", REFUSALS, ids=str)
async def test_a_status_page_that_cannot_be_replaced_is_sent_as_a_new_one(
    begun: World, fault: dict[str, Any]
) -> None:
    for number in range(1, 24):
        add_onboarding(begun, number)
    await begun.type("status", channel=begun.engineering)
    first = begun.erin.ephemerals[-1]
    begun.slack.fail_next(URL, times=9, **fault)

    await begun.erin.press(first, "status_page:next")
    await begun.idle()

    assert begun.erin.ephemerals[-1] is not first
    assert begun.erin.ephemerals[-1].text != first.text


@without_pauses
async def test_a_lost_reply_to_a_thread_message_is_logged_without_a_traceback(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    begun.slack.fail_next(EPHEMERAL, times=9, error="user_not_in_channel")
    begun.slack.fail_next("chat.postMessage", times=9, error="restricted_action")

    await begun.ann.say(begun.channel, "status", begun.message("root").ts)
    await begun.slack.delivered()
    await begun.idle()

    assert [record.message for record in caplog.records].count("an answer was lost") == 1
    assert not [record for record in caplog.records if record.exc_info]


async def test_delivery_retries_end_within_30_seconds() -> None:
    assert 10 < sum(bot.slack.private_delivery.PAUSES_SECONDS) < 30
