"""What the log says about calls to Slack: the method, Slack's request ids, and error codes."""

import logging

import pytest

from tests.integration.world import World


async def test_slack_calls_are_logged_with_slacks_own_request_ids(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot.slack")

    await begun.press(begun.ann, "step:1", "choose_account:new")

    calls = [vars(record) for record in caplog.records if record.msg == "Slack was called"]
    assert {call["method"] for call in calls} == {"chat.update", "chat.postMessage"}
    assert all(len(call["slack_request"]) == 32 for call in calls)


async def test_a_failed_slack_call_is_logged_with_its_error_code(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot.slack")
    begun.slack.fail_next("chat.update", error="cant_update_message")

    await begun.press(begun.ann, "step:1", "choose_account:new")

    [told] = [vars(record) for record in caplog.records if record.msg == "a call to Slack failed"]
    assert (told["method"], told["code"]) == ("chat.update", "cant_update_message")
