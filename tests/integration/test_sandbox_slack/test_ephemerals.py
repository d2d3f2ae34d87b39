"""Ephemeral messages: pressed, replaced, deleted, and lost."""

from typing import Any

import pytest

from sandbox.slack import Channel, Message, NotOfferedError, Person, SlackSandbox, buttons
from tests.stub_bot import StubBot


def buttons_block(*action_ids: str) -> list[dict[str, Any]]:
    elements = [
        {
            "type": "button",
            "action_id": action_id,
            "value": "1:7",
            "text": {"type": "plain_text", "text": action_id},
        }
        for action_id in action_ids
    ]
    return [{"type": "actions", "block_id": "keys", "elements": elements}]


@pytest.fixture(params=["command", "chat.postEphemeral"])
async def ephemeral(
    request: pytest.FixtureRequest, bot: StubBot, channel: Channel, erin: Person
) -> Message:
    """An ephemeral message with buttons for Erin, posted in each of the two possible ways."""
    content = {"text": "Stuck at step 7", "blocks": buttons_block("remind", "close")}
    if request.param == "command":
        bot.answer = content
        await erin.command(channel, "/servicetitan", "status")
        bot.answer = ""
    else:
        await bot.call("chat.postEphemeral", channel=channel.id, user=erin.id, **content)
    return erin.ephemerals[-1]


async def answer(bot: StubBot, **content: Any) -> int:
    """Answer the last press through its response_url and return the status."""
    status, _ = await bot.request("POST", bot.received[-1]["response_url"], json=content)
    return status


async def test_a_press_says_where_its_message_is_but_not_what_it_says(
    bot: StubBot, channel: Channel, erin: Person, ephemeral: Message
) -> None:
    await erin.press(ephemeral, "remind")

    payload = bot.received[-1]
    assert payload["container"] == {
        "type": "message",
        "message_ts": ephemeral.ts,
        "channel_id": channel.id,
        "is_ephemeral": True,
    }
    assert payload["channel"]["id"] == channel.id
    assert payload["actions"][0]["value"] == "1:7"
    assert payload["trigger_id"]
    assert payload["response_url"]
    assert "message" not in payload


async def test_a_response_can_replace_the_message_more_than_once(
    bot: StubBot, channel: Channel, erin: Person, ephemeral: Message
) -> None:
    await erin.press(ephemeral, "remind")
    replaced = await answer(
        bot, replace_original=True, text="Sure?", blocks=buttons_block("yes", "no")
    )
    await erin.press(erin.ephemerals[0], "yes")
    replaced_again = await answer(bot, replace_original=True, text="Reminded.")

    assert (replaced, replaced_again) == (200, 200)
    assert [message.text for message in erin.ephemerals] == ["Reminded."]
    assert buttons(erin.ephemerals[0]) == []
    assert channel.messages == []


async def test_a_response_that_does_not_replace_adds_an_ephemeral_message(
    bot: StubBot, erin: Person, ephemeral: Message
) -> None:
    await erin.press(ephemeral, "remind")
    await answer(bot, text="Reminded.")

    assert [message.text for message in erin.ephemerals] == ["Stuck at step 7", "Reminded."]


async def test_a_message_deleted_by_a_response_can_no_longer_be_pressed(
    bot: StubBot, erin: Person, ephemeral: Message
) -> None:
    await erin.press(ephemeral, "close")

    assert await answer(bot, delete_original=True) == 200

    assert erin.ephemerals == []
    with pytest.raises(NotOfferedError, match="gone"):
        await erin.press(ephemeral, "close")


async def test_a_press_on_a_stale_screen_replaces_the_current_version(
    bot: StubBot, erin: Person, ephemeral: Message
) -> None:
    await erin.press(ephemeral, "remind")
    await answer(bot, replace_original=True, text="Sure?", blocks=buttons_block("yes"))

    await erin.press(ephemeral.versions[0], "remind")
    await answer(bot, replace_original=True, text="Already asked.")

    assert [message.text for message in erin.ephemerals] == ["Already asked."]


async def test_web_api_methods_cannot_reach_an_ephemeral_message(
    bot: StubBot, channel: Channel, ephemeral: Message
) -> None:
    where = {"channel": channel.id, "ts": ephemeral.ts}

    answers = [
        await bot.call("chat.update", **where, text="new"),
        await bot.call("chat.delete", **where),
        await bot.call("pins.add", channel=channel.id, timestamp=ephemeral.ts),
    ]

    assert {answer["error"] for answer in answers} == {"message_not_found"}


async def test_other_people_cannot_see_or_press_an_ephemeral_message(
    slack: SlackSandbox, channel: Channel, ann: Person, ephemeral: Message
) -> None:
    nora = slack.add_person("Nora")
    await slack.admin.invite(channel, nora)

    for person in (ann, nora):
        assert person.ephemerals == []
        with pytest.raises(NotOfferedError):
            await person.press(ephemeral, "remind")


async def test_a_reload_drops_the_message_and_replacing_does_not_restore_it(
    bot: StubBot, erin: Person, ephemeral: Message
) -> None:
    await erin.press(ephemeral, "remind")
    erin.reload()

    assert await answer(bot, replace_original=True, text="Reminded.") == 200
    assert erin.ephemerals == []


async def test_a_press_may_open_a_modal(bot: StubBot, erin: Person, ephemeral: Message) -> None:
    await erin.press(ephemeral, "remind")
    title = {"type": "plain_text", "text": "Remind"}
    view = {"type": "modal", "title": title, "blocks": [{"type": "divider"}]}

    opened = await bot.call("views.open", trigger_id=bot.received[-1]["trigger_id"], view=view)

    assert opened["ok"]
    assert erin.view is not None


async def test_a_press_in_a_thread_carries_the_thread_timestamp(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    parent = await bot.call("chat.postMessage", channel=channel.id, text="root")
    content = {"text": "psst", "blocks": buttons_block("go"), "thread_ts": parent["ts"]}
    await bot.call("chat.postEphemeral", channel=channel.id, user=erin.id, **content)

    await erin.press(erin.ephemerals[0], "go")

    assert bot.received[-1]["container"]["thread_ts"] == parent["ts"]


async def test_a_button_in_a_command_response_can_be_pressed(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    bot.answer = {"text": "Stuck", "blocks": buttons_block("remind")}
    reply = await erin.command(channel, "/servicetitan", "status")
    bot.answer = ""
    assert reply.message is erin.ephemerals[0]

    await erin.press(reply.message, "remind")

    assert bot.received[-1]["actions"][0]["action_id"] == "remind"
