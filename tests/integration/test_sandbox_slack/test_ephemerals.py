"""Messages that one person alone sees: pressed, replaced, deleted, lost."""

from typing import Any

import pytest

from sandbox.slack import Channel, Message, NotOfferedError, Person, SlackSandbox, buttons
from tests.stub_bot import StubBot


def keys(*action_ids: str) -> list[dict[str, Any]]:
    elements = [
        {
            "type": "button",
            "action_id": each,
            "value": "1:7",
            "text": {"type": "plain_text", "text": each},
        }
        for each in action_ids
    ]
    return [{"type": "actions", "block_id": "keys", "elements": elements}]


@pytest.fixture(params=["command", "chat.postEphemeral"])
async def private(
    request: pytest.FixtureRequest, bot: StubBot, channel: Channel, erin: Person
) -> Message:
    """A message with a button that Erin alone sees, by either way that there is."""
    content = {"text": "Stuck at step 7", "blocks": keys("remind", "close")}
    if request.param == "command":
        bot.answer = content
        await erin.command(channel, "/servicetitan", "status")
        bot.answer = ""
    else:
        await bot.call("chat.postEphemeral", channel=channel.id, user=erin.id, **content)
    return erin.ephemerals[-1]


async def answer(bot: StubBot, **content: Any) -> int:
    """Answer the last press at its response_url; the status."""
    status, _ = await bot.request("POST", bot.received[-1]["response_url"], json=content)
    return status


async def test_a_press_says_where_its_message_is_but_not_what_it_says(
    bot: StubBot, channel: Channel, erin: Person, private: Message
) -> None:
    await erin.press(private, "remind")

    payload = bot.received[-1]
    assert payload["container"] == {
        "type": "message",
        "message_ts": private.ts,
        "channel_id": channel.id,
        "is_ephemeral": True,
    }
    assert payload["channel"]["id"] == channel.id
    assert payload["actions"][0]["value"] == "1:7"
    assert payload["trigger_id"]
    assert payload["response_url"]
    assert "message" not in payload


async def test_an_answer_may_replace_what_the_person_sees_again_and_again(
    bot: StubBot, channel: Channel, erin: Person, private: Message
) -> None:
    await erin.press(private, "remind")
    replaced = await answer(bot, replace_original=True, text="Sure?", blocks=keys("yes", "no"))
    await erin.press(erin.ephemerals[0], "yes")
    again = await answer(bot, replace_original=True, text="Reminded.")

    assert (replaced, again) == (200, 200)
    assert [each.text for each in erin.ephemerals] == ["Reminded."]
    assert buttons(erin.ephemerals[0]) == []
    assert channel.messages == []


async def test_without_replacing_the_answer_is_one_more_private_message(
    bot: StubBot, erin: Person, private: Message
) -> None:
    await erin.press(private, "remind")
    await answer(bot, text="Reminded.")

    assert [each.text for each in erin.ephemerals] == ["Stuck at step 7", "Reminded."]


async def test_an_answer_may_take_the_message_away_and_it_cannot_be_pressed_then(
    bot: StubBot, erin: Person, private: Message
) -> None:
    await erin.press(private, "close")

    assert await answer(bot, delete_original=True) == 200

    assert erin.ephemerals == []
    with pytest.raises(NotOfferedError, match="gone"):
        await erin.press(private, "close")


async def test_a_press_on_an_older_screen_replaces_what_is_there_now(
    bot: StubBot, erin: Person, private: Message
) -> None:
    await erin.press(private, "remind")
    await answer(bot, replace_original=True, text="Sure?", blocks=keys("yes"))

    await erin.press(private.versions[0], "remind")
    await answer(bot, replace_original=True, text="Already asked.")

    assert [each.text for each in erin.ephemerals] == ["Already asked."]


async def test_no_method_reaches_a_private_message(
    bot: StubBot, channel: Channel, private: Message
) -> None:
    where = {"channel": channel.id, "ts": private.ts}

    answers = [
        await bot.call("chat.update", **where, text="new"),
        await bot.call("chat.delete", **where),
        await bot.call("pins.add", channel=channel.id, timestamp=private.ts),
    ]

    assert {each["error"] for each in answers} == {"message_not_found"}


async def test_nobody_else_sees_it(
    slack: SlackSandbox, channel: Channel, ann: Person, private: Message
) -> None:
    nora = slack.add_person("Nora")
    await slack.admin.invite(channel, nora)

    for person in (ann, nora):
        assert person.ephemerals == []
        with pytest.raises(NotOfferedError):
            await person.press(private, "remind")


async def test_a_reload_loses_it_and_replacing_does_not_bring_it_back(
    bot: StubBot, erin: Person, private: Message
) -> None:
    await erin.press(private, "remind")
    erin.reload()

    assert await answer(bot, replace_original=True, text="Reminded.") == 200
    assert erin.ephemerals == []


async def test_a_press_may_open_a_modal(bot: StubBot, erin: Person, private: Message) -> None:
    await erin.press(private, "remind")
    title = {"type": "plain_text", "text": "Remind"}
    view = {"type": "modal", "title": title, "blocks": [{"type": "divider"}]}

    opened = await bot.call("views.open", trigger_id=bot.received[-1]["trigger_id"], view=view)

    assert opened["ok"]
    assert erin.view is not None


async def test_in_a_thread_the_container_names_it(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    parent = await bot.call("chat.postMessage", channel=channel.id, text="root")
    content = {"text": "psst", "blocks": keys("go"), "thread_ts": parent["ts"]}
    await bot.call("chat.postEphemeral", channel=channel.id, user=erin.id, **content)

    await erin.press(erin.ephemerals[0], "go")

    assert bot.received[-1]["container"]["thread_ts"] == parent["ts"]


async def test_the_answer_to_a_command_can_be_pressed_where_it_is_returned(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    bot.answer = {"text": "Stuck", "blocks": keys("remind")}
    reply = await erin.command(channel, "/servicetitan", "status")
    bot.answer = ""
    assert reply.message is erin.ephemerals[0]

    await erin.press(reply.message, "remind")

    assert bot.received[-1]["actions"][0]["action_id"] == "remind"
