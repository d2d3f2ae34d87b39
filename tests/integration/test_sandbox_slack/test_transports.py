"""How events reach the bot and how its calls fail: Socket Mode, faults, and rate limits."""

import asyncio

import aiohttp
import pytest

from sandbox.slack import Channel, LineTrouble, Manifest, Person, SlackSandbox
from tests.stub_bot import FrozenClock, StubBot

LISTENING = Manifest(
    scopes=frozenset({"chat:write", "channels:history"}),
    bot_events=frozenset({"message.channels"}),
    commands={"/servicetitan": ""},
)


async def test_an_event_without_a_subscription_is_not_delivered(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    await slack.admin.archive(channel, erin)
    await slack.admin.unarchive(channel, erin)

    assert [payload["event"]["type"] for payload in bot.received] == ["channel_archive"]


async def test_a_join_event_carries_the_new_members_team(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    newcomer = slack.add_person("Nora", slack.add_team("Nora's Roofing"))

    await slack.admin.invite(channel, newcomer, inviter=erin)

    event = bot.received[-1]["event"]
    assert (event["type"], event["team"]) == ("member_joined_channel", newcomer.team.id)
    assert (event["user"], event["inviter"]) == (newcomer.id, erin.id)


async def test_the_bot_gets_no_events_from_channels_it_is_not_in(
    slack: SlackSandbox, bot: StubBot, erin: Person
) -> None:
    elsewhere = slack.add_channel("elsewhere", erin, with_bot=False)

    await erin.say(elsewhere, "hello")

    assert bot.received == []


async def test_a_channel_id_change_sends_an_event_and_retires_the_old_id(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    old = channel.id

    await slack.admin.change_id(channel)

    event = bot.received[-1]["event"]
    assert (event["old_channel_id"], event["new_channel_id"]) == (old, channel.id)
    answer = await bot.call("conversations.info", channel=old)
    assert answer["error"] == "channel_not_found"


async def test_a_failed_event_is_retried_with_the_same_id() -> None:
    async with SlackSandbox(LISTENING, event_retries=(0.0, 0.0, 0.0)) as slack:
        erin = slack.add_person("Erin")
        channel = slack.add_channel("acme", erin)
        async with StubBot(slack) as bot:
            bot.status = 500
            await erin.say(channel, "hello")
            await slack.until(lambda: len(slack.deliveries) == 4)

    assert len({payload["event_id"] for payload in bot.received}) == 1
    retries = [headers.get("x-slack-retry-num") for headers in bot.headers]
    assert retries == [None, "1", "2", "3"]
    assert bot.headers[1]["x-slack-retry-reason"] == "http_error"


async def test_interactions_are_never_retried(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    bot.status = 500

    reply = await erin.command(channel, "/servicetitan")

    assert reply.notice is not None
    assert len(slack.deliveries) == 1


async def receive_and_acknowledge(
    socket: aiohttp.ClientWebSocketResponse, payload: dict[str, str]
) -> dict[str, object]:
    envelope: dict[str, object] = await socket.receive_json()
    await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": payload})
    return envelope


async def test_socket_mode_carries_a_command_and_its_answer(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    socket = await bot.connect()
    hello = await socket.receive_json()
    answering = asyncio.create_task(receive_and_acknowledge(socket, {"text": "all well"}))

    reply = await erin.command(channel, "/servicetitan", "status")

    envelope = await answering
    assert hello["type"] == "hello"
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert reply.text == "all well"
    assert bot.received == []  # while a socket is open, HTTP receives nothing


async def test_socket_mode_rotates_between_open_connections(
    bot: StubBot, channel: Channel, erin: Person
) -> None:
    sockets = [await bot.connect(), await bot.connect()]
    hellos = [await socket.receive_json() for socket in sockets]
    for socket in sockets:
        answering = asyncio.create_task(receive_and_acknowledge(socket, {}))
        await erin.command(channel, "/servicetitan")
        await answering

    assert [hello["num_connections"] for hello in hellos] == [1, 2]


async def test_a_socket_url_admits_only_one_connection(bot: StubBot) -> None:
    socket = await bot.connect()
    url = str(socket._response.url)

    status, _ = await bot.request("GET", url)

    assert status == 403


async def test_a_disconnect_is_announced_before_the_socket_closes(
    slack: SlackSandbox, bot: StubBot
) -> None:
    socket = await bot.connect()
    await socket.receive_json()

    leaving = asyncio.create_task(slack.sockets.lose(LineTrouble.WARNING))
    announced = await socket.receive_json()
    closed = await socket.receive()
    await leaving

    assert announced == {"type": "disconnect", "reason": "warning"}
    assert closed.type is aiohttp.WSMsgType.CLOSE or closed.type is aiohttp.WSMsgType.CLOSED
    assert slack.connections == 0


async def test_a_fault_hits_exactly_the_requested_number_of_calls(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    slack.fail_next("chat.postMessage", error="fatal_error", times=2)

    answers = [
        await bot.call("chat.postMessage", channel=channel.id, text="hello") for _ in range(3)
    ]

    assert [answer.get("error") for answer in answers] == ["fatal_error", "fatal_error", None]


async def test_a_fault_can_target_specific_calls(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    slack.fail_next(
        "chat.postMessage", error="fatal_error", predicate=lambda call: call["text"] == "two"
    )

    answers = [
        await bot.call("chat.postMessage", channel=channel.id, text=text)
        for text in ("one", "two", "three")
    ]

    assert [answer["ok"] for answer in answers] == [True, False, True]


async def test_a_rate_limit_on_demand_says_how_long_to_wait(slack: SlackSandbox) -> None:
    slack.fail_next("auth.test", retry_after=7)

    url = slack.api_url + "auth.test"
    async with aiohttp.ClientSession() as session, session.post(url) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")


async def test_an_answer_may_be_lost_after_the_message_was_posted(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    slack.fail_next("chat.postMessage", drop=True, performed=True)

    with pytest.raises(aiohttp.ClientError):
        await bot.call("chat.postMessage", channel=channel.id, text="hello")

    assert [message.text for message in channel.messages] == ["hello"]


async def test_a_connection_may_drop_before_anything_happens(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    slack.fail_next("chat.postMessage", drop=True)

    with pytest.raises(aiohttp.ClientError):
        await bot.call("chat.postMessage", channel=channel.id, text="hello")

    assert channel.messages == []


async def test_slacks_own_rate_limits_can_be_switched_on(
    slack: SlackSandbox, clock: FrozenClock, bot: StubBot, channel: Channel
) -> None:
    slack.rate_limits.enabled = True

    async def post() -> int:
        url, content = slack.api_url + "chat.postMessage", {"channel": channel.id, "text": "hello"}
        return (await bot.request("POST", url, json=content))[0]

    burst = [await post() for _ in range(4)]
    clock.advance(3)
    later = await post()

    assert burst == [200, 200, 200, 429]
    assert later == 200


async def test_until_returns_a_value_as_soon_as_it_is_available(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    waiting = asyncio.create_task(slack.until(lambda: channel.messages))
    await bot.call("chat.postMessage", channel=channel.id, text="hello")

    assert (await waiting)[0].text == "hello"


async def test_until_names_what_it_was_waiting_for_when_it_times_out(slack: SlackSandbox) -> None:
    with pytest.raises(TimeoutError, match="for the moon"):
        await slack.until(lambda: None, timeout=0.01, awaited="the moon")
