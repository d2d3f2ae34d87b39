"""The sandbox's Web API accepts and refuses calls just as Slack does."""

import json
from typing import Any

import pytest

from sandbox.slack import Channel, Manifest, Person, SlackSandbox
from tests.stub_bot import StubBot


def metadata(slot: str) -> dict[str, Any]:
    payload = {"onboarding_id": "1", "slot": slot}
    return {"event_type": "onboarding_message", "event_payload": payload}


async def post(bot: StubBot, channel: Channel, **arguments: Any) -> dict[str, Any]:
    return await bot.call("chat.postMessage", channel=channel.id, **{"text": "hello", **arguments})


async def test_auth_test_returns_the_bots_team_and_user(slack: SlackSandbox, bot: StubBot) -> None:
    answer = await bot.call("auth.test")

    assert answer["ok"]
    assert (answer["team_id"], answer["user_id"]) == (slack.home.id, slack.bot.id)


@pytest.mark.parametrize(
    ("http_method", "options"),
    [
        ("POST", {"json": {"channel": "ID"}}),
        ("POST", {"data": {"channel": "ID"}}),
        ("POST", {"params": {"channel": "ID"}}),
        ("GET", {"params": {"channel": "ID"}}),
    ],
)
async def test_arguments_are_accepted_in_all_four_formats_slack_allows(
    slack: SlackSandbox,
    bot: StubBot,
    channel: Channel,
    http_method: str,
    options: dict[str, dict[str, str]],
) -> None:
    arguments = {kind: {"channel": channel.id} for kind in options}

    url = slack.api_url + "conversations.info"
    _, body = await bot.request(http_method, url, **arguments)

    assert json.loads(body)["channel"]["is_ext_shared"] is True


async def test_a_call_without_a_token_is_refused(slack: SlackSandbox, bot: StubBot) -> None:
    _, body = await bot.request("POST", slack.api_url + "auth.test", headers={})

    assert json.loads(body) == {"ok": False, "error": "not_authed"}


async def test_the_call_log_never_holds_the_token(slack: SlackSandbox, bot: StubBot) -> None:
    await bot.request("POST", slack.api_url + "auth.test", data={"token": slack.bot_token})

    assert slack.calls[0].arguments == {}


async def test_an_unknown_method_is_refused(bot: StubBot) -> None:
    assert (await bot.call("chat.shout"))["error"] == "unknown_method"


async def test_an_unsupported_argument_is_refused_by_name(bot: StubBot, channel: Channel) -> None:
    answer = await post(bot, channel, icon_emoji=":x:")

    assert answer["error"] == "invalid_arguments"
    assert "icon_emoji" in answer["response_metadata"]["messages"][0]


async def test_a_call_without_the_needed_scope_names_it() -> None:
    async with SlackSandbox(Manifest(scopes=frozenset({"commands"}))) as slack:
        channel = slack.add_channel("acme")
        async with StubBot(slack) as bot:
            answer = await post(bot, channel)

    assert answer["error"] == "missing_scope"
    assert (answer["needed"], answer["provided"]) == ("chat:write", "commands")


async def test_posting_to_a_public_channel_needs_membership(
    slack: SlackSandbox, bot: StubBot
) -> None:
    elsewhere = slack.add_channel("elsewhere", with_bot=False)

    assert (await post(bot, elsewhere))["error"] == "not_in_channel"


async def test_a_private_channel_is_not_found_by_a_non_member(
    slack: SlackSandbox, bot: StubBot
) -> None:
    secret = slack.add_channel("secret", private=True, with_bot=False)

    assert (await post(bot, secret))["error"] == "channel_not_found"


async def test_an_archived_channel_refuses_messages_and_edits(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    posted = await post(bot, channel)
    await slack.admin.archive(channel, erin)

    edit = await bot.call("chat.update", channel=channel.id, ts=posted["ts"], text="new")

    assert (await post(bot, channel))["error"] == "is_archived"
    assert edit["error"] == "is_inactive"


async def test_timestamps_are_unique_and_increase_on_a_frozen_clock(
    bot: StubBot, channel: Channel
) -> None:
    stamps = [(await post(bot, channel))["ts"] for _ in range(3)]

    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("thread_ts", "error"),
    [("0", "invalid_thread_ts"), ("1700000000.000001", "thread_not_found")],
)
async def test_a_reply_needs_a_parent_that_exists(
    bot: StubBot, channel: Channel, thread_ts: str, error: str
) -> None:
    assert (await post(bot, channel, thread_ts=thread_ts))["error"] == error


async def test_a_reply_cannot_be_the_parent_of_a_reply(bot: StubBot, channel: Channel) -> None:
    parent = await post(bot, channel)
    reply = await post(bot, channel, thread_ts=parent["ts"])

    assert (await post(bot, channel, thread_ts=reply["ts"]))["error"] == "cannot_reply_to_message"


async def test_thread_replies_are_paginated_and_include_metadata(
    bot: StubBot, channel: Channel
) -> None:
    parent = await post(bot, channel, metadata=metadata("root"))
    for number in range(1, 4):
        await post(bot, channel, thread_ts=parent["ts"], metadata=metadata(f"step:{number}"))

    slots, cursor = [], ""
    while cursor is not None:
        page = await bot.call(
            "conversations.replies",
            channel=channel.id,
            ts=parent["ts"],
            limit=3,
            cursor=cursor,
            include_all_metadata=True,
        )
        slots += [message["metadata"]["event_payload"]["slot"] for message in page["messages"]]
        cursor = page.get("response_metadata", {}).get("next_cursor")

    assert slots == ["root", "step:1", "step:2", "step:3"]


@pytest.mark.parametrize(
    ("of", "error"),
    [({}, "invalid_arguments"), ({"ts": "1700000000.000001"}, "thread_not_found")],
)
async def test_replies_are_of_a_thread_that_exists(
    bot: StubBot, channel: Channel, of: dict[str, str], error: str
) -> None:
    answer = await bot.call("conversations.replies", channel=channel.id, **of)

    assert answer["error"] == error


async def test_metadata_is_reduced_to_its_type_unless_requested(
    bot: StubBot, channel: Channel
) -> None:
    await post(bot, channel, metadata=metadata("root"))

    history = await bot.call("conversations.history", channel=channel.id)

    assert history["messages"][0]["metadata"] == {"event_type": "onboarding_message"}


async def test_replies_are_not_in_the_channels_history(bot: StubBot, channel: Channel) -> None:
    parent = await post(bot, channel)
    await post(bot, channel, thread_ts=parent["ts"], text="reply")

    history = await bot.call("conversations.history", channel=channel.id)

    assert [(message["text"], message["reply_count"]) for message in history["messages"]] == [
        ("hello", 1)
    ]


async def test_an_update_keeps_omitted_metadata_but_drops_omitted_blocks(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    posted = await post(bot, channel, metadata=metadata("root"), blocks=[{"type": "divider"}])

    await bot.call("chat.update", channel=channel.id, ts=posted["ts"], text="new")

    message = slack.message(channel, "root")
    assert message is not None
    assert (message.text, message.blocks) == ("new", [])
    assert [version.text for version in message.versions] == ["hello"]


async def test_an_update_takes_four_thousand_characters_and_no_more(
    bot: StubBot, channel: Channel
) -> None:
    ts = (await post(bot, channel))["ts"]

    fits = await bot.call("chat.update", channel=channel.id, ts=ts, text="x" * 4000)
    too_long = await bot.call("chat.update", channel=channel.id, ts=ts, text="x" * 4001)

    assert (fits["ok"], too_long["error"]) == (True, "msg_too_long")


async def test_only_the_bots_own_messages_can_be_updated(
    bot: StubBot, channel: Channel, ann: Person
) -> None:
    message = await ann.say(channel, "hello")

    answer = await bot.call("chat.update", channel=channel.id, ts=message.ts, text="goodbye")

    assert answer["error"] == "cant_update_message"


async def test_an_ephemeral_message_reaches_one_member_and_not_the_history(
    bot: StubBot, channel: Channel, ann: Person
) -> None:
    answer = await bot.call("chat.postEphemeral", channel=channel.id, user=ann.id, text="psst")

    assert answer["ok"]
    assert [message.text for message in ann.ephemerals] == ["psst"]
    assert channel.messages == []


async def test_an_ephemeral_message_to_a_non_member_is_refused(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    olaf = slack.add_person("Olaf")

    answer = await bot.call("chat.postEphemeral", channel=channel.id, user=olaf.id, text="psst")

    assert answer["error"] == "user_not_in_channel"


async def test_an_external_member_has_no_email_and_is_not_a_stranger(
    slack: SlackSandbox, bot: StubBot, channel: Channel, ann: Person
) -> None:
    stranger = slack.add_person("Sven", slack.add_team("Sven's Heating"))

    known = await bot.call("users.info", user=ann.id)
    unknown = await bot.call("users.info", user=stranger.id)

    assert ann.id in channel.members
    assert "email" not in known["user"]["profile"]
    assert known["user"]["team_id"] == ann.team.id
    assert (known["user"]["is_stranger"], unknown["user"]["is_stranger"]) == (False, True)


async def test_a_message_to_a_user_id_goes_to_their_direct_message(
    slack: SlackSandbox, bot: StubBot, erin: Person
) -> None:
    await bot.call("chat.postMessage", channel=erin.id, text="hello")

    assert [message.text for message in slack.direct_message(erin.user).messages] == ["hello"]


async def test_members_of_a_user_group_are_listed(
    slack: SlackSandbox, bot: StubBot, erin: Person
) -> None:
    group = slack.add_usergroup(erin, slack.add_person("Gone", deleted=True))

    assert (await bot.call("usergroups.users.list", usergroup=group))["users"] == [erin.id]
    assert (await bot.call("usergroups.users.list", usergroup="S0"))["error"] == "no_such_subteam"


async def test_uninstalling_the_app_invalidates_its_token(
    slack: SlackSandbox, bot: StubBot
) -> None:
    await slack.admin.uninstall()

    assert (await bot.call("auth.test"))["error"] == "account_inactive"
