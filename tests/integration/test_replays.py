"""Duplicate requests: replayed bodies and Slack's own retries take effect only once."""

import json
from urllib.parse import urlencode

from tests.databases import ON_BOTH
from tests.integration.world import World


async def test_a_replayed_press_does_not_finish_an_undone_step_again(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    pressed = begun.last_interaction
    await begun.press(begun.ann, "step:1", "step_undo")

    ack = await begun.send(pressed)

    assert ack.ok
    assert begun.current == 1
    assert len(begun.events("step_done")) == 1


@ON_BOTH
async def test_a_replayed_form_does_not_enter_a_credential_twice(begun: World) -> None:
    await begun.walk_to(11)
    await begun.enter(begun.ann, 11, booking_provider_id="123456789")
    submitted = begun.last_interaction

    ack = await begun.send(submitted)

    assert ack.ok
    assert len(begun.events("credential_entered")) == 1
    assert not begun.events("credential_replaced")


async def test_a_replayed_question_is_asked_once(begun: World) -> None:
    form = await begun.open(begun.ann, "step:1", "step_help")
    await begun.submit(begun.ann, form, question="Which portal?")

    await begun.send(begun.last_interaction)

    assert len(begun.events("help_asked")) == 1
    assert len([text for text in begun.announced if "needs help" in text]) == 1


async def test_a_question_resubmitted_after_a_lost_response_is_asked_once(
    begun: World,
) -> None:
    form = await begun.open(begun.ann, "step:1", "step_help")
    await begun.submit(begun.ann, form, question="Which portal?")
    again = begun.last_interaction
    again["trigger_id"] = "1.2.another"  # Slack mints one for each press of Submit

    ack = await begun.send(again)

    assert (ack.ok, ack.body) == (True, "")  # the form closes
    assert len(begun.events("help_asked")) == 1


@ON_BOTH
async def test_a_replayed_start_form_starts_nothing_twice(world: World) -> None:
    await world.type("start Acme")
    await world.submit(world.erin, world.view_of(world.erin))
    world.write("UPDATE onboarding SET status = 'cancelled'")

    await world.send(world.last_interaction)

    assert world.rows("SELECT count(*) FROM onboarding") == [(1,)]


@ON_BOTH
async def test_an_event_retried_by_slack_counts_once(begun: World) -> None:
    await begun.ann.say(begun.channel, "new", begun.message("root").ts)
    await begun.slack.delivered()
    await begun.idle()
    said = begun.last_event("message")
    await begun.press(begun.ann, "step:1", "step_undo")

    ack = await begun.slack.post_signed(
        json.dumps(said).encode(),
        "application/json",
        headers={"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"},
    )
    await begun.idle()

    assert ack.ok
    assert begun.current == 1


async def test_a_replay_with_an_old_timestamp_or_a_wrong_signature_is_refused(
    begun: World,
) -> None:
    body = urlencode({"payload": json.dumps(begun.last_interaction)}).encode()
    form = "application/x-www-form-urlencoded"

    old = await begun.slack.post_signed(body, form, timestamp="1700000000")
    forged = await begun.slack.post_signed(body, form, secret="not-the-secret")

    assert (old.status, forged.status) == (401, 401)
