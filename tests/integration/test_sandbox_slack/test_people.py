"""What people do, what the bot receives, and what people see of its responses."""

from typing import Any

import pytest

from sandbox.slack import (
    Channel,
    Manifest,
    Message,
    NotOfferedError,
    Person,
    SlackSandbox,
    View,
)
from sandbox.slack.signing import signature
from tests.stub_bot import FrozenClock, StubBot

CONNECTION_NOTICE = "We had some trouble connecting. Try again?"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def form(**changes: Any) -> dict[str, Any]:
    secret = {"type": "plain_text_input", "action_id": "secret", "min_length": 3}
    options = [{"text": plain("Yes"), "value": "yes"}]
    sure = {"type": "checkboxes", "action_id": "sure", "options": options}
    return {
        "type": "modal",
        "callback_id": "enter",
        "title": plain("Enter"),
        "submit": plain("Save"),
        "blocks": [
            {"type": "input", "block_id": "secret", "label": plain("Secret"), "element": secret},
            {
                "type": "input",
                "block_id": "sure",
                "label": plain("Sure?"),
                "element": sure,
                "optional": True,
            },
        ],
        **changes,
    }


@pytest.fixture
async def message(bot: StubBot, channel: Channel) -> Message:
    """A message from the bot with a button."""
    button = {"type": "button", "action_id": "go", "text": plain("Go"), "value": "1:7"}
    payload = {"onboarding_id": "1", "slot": "step:7"}
    await bot.call(
        "chat.postMessage",
        channel=channel.id,
        text="step",
        blocks=[{"type": "actions", "block_id": "b", "elements": [button]}],
        metadata={"event_type": "onboarding_message", "event_payload": payload},
    )
    return channel.messages[0]


@pytest.fixture
async def view(bot: StubBot, ann: Person, message: Message) -> View:
    """A modal that Ann has open."""
    await ann.press(message, "go")
    await bot.call("views.open", trigger_id=bot.received[-1]["trigger_id"], view=form())
    assert ann.view is not None
    return ann.view


def test_signatures_match_the_example_in_slacks_documentation() -> None:
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        "&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        "&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        "%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )

    signed = signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body.encode())

    assert signed == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


async def test_a_request_signed_with_another_secret_is_rejected(
    slack: SlackSandbox, bot: StubBot
) -> None:
    ack = await slack.post_signed(b"{}", "application/json", secret="another secret")

    assert (ack.failure, ack.status, bot.received) == ("http_error", 401, [])


async def test_a_command_acknowledgment_is_shown_only_to_its_sender(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    bot.answer = "all well"

    reply = await erin.command(channel, "/servicetitan", "status")

    assert (reply.text, reply.is_ephemeral) == ("all well", True)
    assert [message.text for message in erin.ephemerals] == ["all well"]
    assert bot.received[0]["text"] == "status"


async def test_a_command_response_can_be_posted_in_the_channel(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    bot.answer = {"response_type": "in_channel", "text": "all well"}

    reply = await erin.command(channel, "/servicetitan", "status")

    assert not reply.is_ephemeral
    assert [message.text for message in channel.messages] == ["all well"]


async def test_a_late_command_acknowledgment_shows_operation_timeout() -> None:
    manifest = Manifest(commands={"/servicetitan": ""})
    async with SlackSandbox(manifest, ack_deadline=0.05) as slack, StubBot(slack) as bot:
        erin = slack.add_person("Erin")
        bot.delay = 0.5

        reply = await erin.command(slack.add_channel("acme", erin), "/servicetitan")

    assert reply.notice is not None
    assert "operation_timeout" in reply.notice


async def test_external_members_have_no_slash_commands(
    bot: StubBot, channel: Channel, ann: Person
) -> None:
    with pytest.raises(NotOfferedError):
        await ann.command(channel, "/servicetitan")

    assert bot.received == []


async def test_a_press_by_an_external_member_names_the_host_team(
    slack: SlackSandbox, bot: StubBot, ann: Person, message: Message
) -> None:
    await ann.press(message, "go")

    payload = bot.received[-1]
    assert (payload["team"]["id"], payload["user"]["team_id"]) == (slack.home.id, ann.team.id)
    assert payload["container"]["message_ts"] == message.ts
    assert payload["actions"][0]["value"] == "1:7"


async def test_a_submission_by_an_external_member_names_their_own_team(
    slack: SlackSandbox, bot: StubBot, ann: Person, view: View
) -> None:
    await ann.submit(view, {"secret": "12345"})

    payload = bot.received[-1]
    assert (payload["team"]["id"], payload["view"]["team_id"]) == (ann.team.id, ann.team.id)
    assert payload["view"]["app_installed_team_id"] == slack.home.id
    assert "response_url" not in payload


async def test_a_message_event_from_an_external_member_carries_both_team_ids(
    slack: SlackSandbox, bot: StubBot, channel: Channel, ann: Person
) -> None:
    await ann.say(channel, f"hello <@{slack.bot.id}> & <all>")

    envelope = bot.received[-1]
    event = envelope["event"]
    assert event["text"] == f"hello <@{slack.bot.id}> &amp; &lt;all&gt;"
    assert (event["team"], event["user_team"]) == (ann.team.id, ann.team.id)
    assert (envelope["team_id"], envelope["context_team_id"]) == (ann.team.id, slack.home.id)
    assert envelope["authorizations"][0]["team_id"] == slack.home.id
    assert envelope["is_ext_shared_channel"] is True


async def test_only_existing_buttons_can_be_pressed(ann: Person, message: Message) -> None:
    with pytest.raises(NotOfferedError, match="there are: go"):
        await ann.press(message, "stop")


async def test_an_old_button_can_be_pressed_on_a_stale_screen(
    bot: StubBot, channel: Channel, ann: Person, message: Message
) -> None:
    await bot.call("chat.update", channel=channel.id, ts=message.ts, text="done")

    await ann.press(message.versions[0], "go")

    assert bot.received[-1]["actions"][0]["value"] == "1:7"


async def test_a_forged_press_can_claim_another_channel(
    slack: SlackSandbox, bot: StubBot, ann: Person, message: Message
) -> None:
    elsewhere = slack.add_channel("elsewhere", ann)

    await ann.press_raw(message, "go", "2:7", channel=elsewhere)

    assert bot.received[-1]["channel"]["id"] == elsewhere.id
    assert bot.received[-1]["container"]["channel_id"] == elsewhere.id


async def test_a_trigger_can_be_used_only_once(bot: StubBot, ann: Person, message: Message) -> None:
    await ann.press(message, "go")
    opening = {"trigger_id": bot.received[-1]["trigger_id"], "view": form()}

    answers = [await bot.call("views.open", **opening) for _ in range(2)]

    assert [answer.get("error") for answer in answers] == [None, "exchanged_trigger_id"]


@pytest.mark.slow_slack
async def test_a_trigger_expires_after_three_seconds(
    clock: FrozenClock, bot: StubBot, ann: Person, message: Message
) -> None:
    await ann.press(message, "go")
    clock.advance(3.1)

    trigger_id = bot.received[-1]["trigger_id"]
    answer = await bot.call("views.open", trigger_id=trigger_id, view=form())

    assert answer["error"] == "expired_trigger_id"


async def test_untouched_inputs_are_submitted_empty(bot: StubBot, ann: Person, view: View) -> None:
    await ann.submit(view, {"secret": "12345"})

    assert bot.received[-1]["view"]["state"]["values"] == {
        "secret": {"secret": {"type": "plain_text_input", "value": "12345"}},
        "sure": {"sure": {"type": "checkboxes", "selected_options": []}},
    }


@pytest.mark.parametrize("typed", ["", "12"])
async def test_the_slack_client_does_not_submit_missing_or_too_short_input(
    bot: StubBot, ann: Person, view: View, typed: str
) -> None:
    before = len(bot.received)

    submission = await ann.submit(view, {"secret": typed})

    assert submission.errors.keys() == {"secret"}
    assert len(bot.received) == before


async def test_an_empty_acknowledgment_closes_the_modal(ann: Person, view: View) -> None:
    assert (await ann.submit(view, {"secret": "12345"})).ok
    assert ann.view is None


async def test_errors_keep_the_modal_open(bot: StubBot, ann: Person, view: View) -> None:
    bot.answer = {"response_action": "errors", "errors": {"secret": "Too short."}}

    submission = await ann.submit(view, {"secret": "12345"})

    assert submission.errors == {"secret": "Too short."}
    assert ann.view is view


async def test_errors_for_an_unknown_input_are_an_invalid_response(
    bot: StubBot, ann: Person, view: View
) -> None:
    bot.answer = {"response_action": "errors", "errors": {"nowhere": "Too short."}}

    submission = await ann.submit(view, {"secret": "12345"})

    assert submission.notice == CONNECTION_NOTICE
    assert submission.reason is not None
    assert "nowhere" in submission.reason


async def test_an_update_keeps_what_was_typed_in_remaining_inputs(
    bot: StubBot, ann: Person, view: View
) -> None:
    bot.answer = {"response_action": "update", "view": form(title=plain("Sure?"))}

    await ann.submit(view, {"secret": "12345"})
    bot.answer = ""
    await ann.submit(view, {"sure": ["yes"]})

    values = bot.received[-1]["view"]["state"]["values"]
    assert values["secret"]["secret"]["value"] == "12345"
    assert values["sure"]["sure"]["selected_options"][0]["value"] == "yes"


async def test_clear_closes_the_modal(bot: StubBot, ann: Person, view: View) -> None:
    bot.answer = {"response_action": "clear"}

    await ann.submit(view, {"secret": "12345"})

    assert ann.view is None


@pytest.mark.parametrize("status", [404, 500])
async def test_a_failed_acknowledgment_leaves_the_modal_open(
    bot: StubBot, ann: Person, view: View, status: int
) -> None:
    bot.status = status

    submission = await ann.submit(view, {"secret": "12345"})

    assert submission.notice == CONNECTION_NOTICE
    assert ann.view is view


async def test_an_old_hash_does_not_overwrite_a_newer_view(bot: StubBot, view: View) -> None:
    change = {"view_id": view.id, "hash": view.hash, "view": form()}

    answers = [await bot.call("views.update", **change) for _ in range(2)]

    assert [answer.get("error") for answer in answers] == [None, "hash_conflict"]


async def test_a_press_in_a_modal_names_the_view_and_no_channel(
    slack: SlackSandbox, bot: StubBot, ann: Person, view: View
) -> None:
    button = {"type": "button", "action_id": "more", "text": plain("More")}
    content = form() | {"blocks": [{"type": "actions", "elements": [button]}]}
    del content["submit"]
    await bot.call("views.update", view_id=view.id, view=content)

    await ann.press(view, "more")

    payload = bot.received[-1]
    assert payload["container"] == {"type": "view", "view_id": view.id}
    assert payload["view"]["app_installed_team_id"] == slack.home.id
    assert "channel" not in payload


async def test_a_response_url_can_be_used_five_times(
    bot: StubBot, ann: Person, message: Message
) -> None:
    await ann.press(message, "go")
    url = bot.received[-1]["response_url"]

    statuses = [(await bot.request("POST", url, json={"text": "hi"}))[0] for _ in range(6)]

    assert statuses == [200, 200, 200, 200, 200, 404]
    assert len(ann.ephemerals) == 5


async def test_a_response_url_expires_after_half_an_hour(
    clock: FrozenClock, bot: StubBot, ann: Person, message: Message
) -> None:
    await ann.press(message, "go")
    clock.advance(30 * 60 + 1)

    status, body = await bot.request("POST", bot.received[-1]["response_url"], json={"text": "hi"})

    assert (status, "expired_url" in body) == (404, True)


async def test_a_response_url_may_replace_the_pressed_message(
    bot: StubBot, ann: Person, message: Message
) -> None:
    await ann.press(message, "go")
    replacement = {"replace_original": True, "text": "done"}

    await bot.request("POST", bot.received[-1]["response_url"], json=replacement)

    assert (message.text, message.blocks) == ("done", [])
