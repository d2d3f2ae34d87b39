"""Outages: calls fail at random in every possible way, and calls made too early are counted."""

import json
from typing import Any

import aiohttp
import pytest

from sandbox.slack import Channel, Outage, Person, SlackSandbox, Trouble
from tests.stub_bot import FrozenClock, StubBot

NO_RESPONSE = (Trouble.SILENCE, Trouble.RESET)


async def post(slack: SlackSandbox, bot: StubBot, channel: Channel) -> tuple[int, str]:
    """Post a message and return the status and body of the response."""
    content = {"channel": channel.id, "text": "hello"}
    return await bot.request("POST", slack.api_url + "chat.postMessage", json=content)


async def run_outage(slack: SlackSandbox, bot: StubBot, calls: list[str], **options: Any) -> Outage:
    """Call methods one after the other during an outage that only returns errors."""
    options.setdefault("troubles", [Trouble.FATAL_ERROR, Trouble.INTERNAL_ERROR])
    with slack.outage(**options) as outage:
        for method in calls:
            await bot.call(method)
    return outage


@pytest.mark.parametrize("performed", [0.0, 1.0])
@pytest.mark.parametrize(
    ("trouble", "status", "content"),
    [
        (Trouble.SERVER_ERROR, 500, "<html>"),
        (Trouble.UNAVAILABLE, 503, "<html>"),
        (Trouble.FATAL_ERROR, 200, '"fatal_error"'),
        (Trouble.INTERNAL_ERROR, 200, '"internal_error"'),
        (Trouble.HTML, 200, "<html>"),
        (Trouble.BROKEN_JSON, 200, '{"ok": true'),
    ],
)
async def test_a_bad_response_leaves_open_whether_the_call_was_performed(
    slack: SlackSandbox,
    bot: StubBot,
    channel: Channel,
    trouble: Trouble,
    status: int,
    content: str,
    performed: float,
) -> None:
    outage = slack.outage(troubles=[trouble], performed=performed)

    answer = await post(slack, bot, channel)

    assert answer[0] == status
    assert content in answer[1]
    assert len(channel.messages) == performed
    assert [(hit.method, hit.trouble, hit.performed) for hit in outage.hits] == [
        ("chat.postMessage", trouble, bool(performed))
    ]


@pytest.mark.parametrize("performed", [0.0, 1.0])
@pytest.mark.parametrize("trouble", NO_RESPONSE)
async def test_a_lost_response_leaves_open_whether_the_call_was_performed(
    slack: SlackSandbox, bot: StubBot, channel: Channel, trouble: Trouble, performed: float
) -> None:
    slack.outage(troubles=[trouble], performed=performed, silence=0.01)

    with pytest.raises(aiohttp.ClientError):
        await post(slack, bot, channel)

    assert len(channel.messages) == performed


async def test_a_truncated_response_is_invalid_json(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    slack.outage(troubles=[Trouble.BROKEN_JSON])

    _, body = await post(slack, bot, channel)

    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def test_the_same_seed_repeats_the_faults_and_another_seed_does_not(
    slack: SlackSandbox, bot: StubBot
) -> None:
    calls = ["auth.test"] * 40

    def outcomes(outage: Outage) -> list[tuple[Trouble, bool]]:
        return [(hit.trouble, hit.performed) for hit in outage.hits]

    first, repeated, other = [
        outcomes(await run_outage(slack, bot, calls, probability=0.5, seed=seed))
        for seed in (1, 1, 2)
    ]

    assert first == repeated != other
    assert 10 < len(first) < 30
    assert {performed for _, performed in first} == {True, False}


async def test_calls_to_other_methods_do_not_change_a_methods_faults(
    slack: SlackSandbox, bot: StubBot
) -> None:
    def failed(outage: Outage) -> list[Trouble]:
        return [hit.trouble for hit in outage.hits if hit.method == "auth.test"]

    alone = await run_outage(slack, bot, ["auth.test"] * 20, probability=0.5)
    mixed = await run_outage(slack, bot, ["auth.test", "users.info"] * 20, probability=0.5)

    assert failed(alone) == failed(mixed)


async def test_an_outage_can_be_limited_by_method_and_probability(
    slack: SlackSandbox, bot: StubBot
) -> None:
    only_users = await run_outage(slack, bot, ["auth.test", "users.info"], methods=["users.info"])
    never = await run_outage(slack, bot, ["auth.test"] * 20, probability=0.0)

    assert [hit.method for hit in only_users.hits] == ["users.info"]
    assert never.hits == []


async def test_an_outage_ends_by_the_clock(
    slack: SlackSandbox, bot: StubBot, clock: FrozenClock
) -> None:
    slack.outage(troubles=[Trouble.FATAL_ERROR], lasts=20)
    succeeded = []

    for _ in range(4):
        succeeded.append((await bot.call("auth.test"))["ok"])
        clock.advance(10)

    assert succeeded == [False, False, True, True]


async def test_end_stops_one_outage_and_heal_clears_all_faults(
    slack: SlackSandbox, bot: StubBot
) -> None:
    ended = slack.outage(troubles=[Trouble.FATAL_ERROR])
    ended.end()
    assert (await bot.call("auth.test"))["ok"]
    slack.outage(troubles=[Trouble.FATAL_ERROR])
    slack.fail_next("auth.test", error="fatal_error", times=9)

    slack.heal()

    assert (await bot.call("auth.test"))["ok"]


async def test_a_requested_fault_takes_precedence_over_an_outage(
    slack: SlackSandbox, bot: StubBot
) -> None:
    outage = slack.outage(troubles=[Trouble.FATAL_ERROR])
    slack.fail_next("auth.test", error="account_inactive")

    assert (await bot.call("auth.test"))["error"] == "account_inactive"
    assert outage.hits == []


async def test_a_rate_limit_lasts_per_channel_until_retry_after_has_passed(
    slack: SlackSandbox, channel: Channel, erin: Person, clock: FrozenClock
) -> None:
    other = slack.add_channel("other", erin)
    outage = slack.outage(troubles=[Trouble.RATE_LIMITED], retry_after=30, performed=1.0)

    async def retry_after(where: Channel) -> int:
        content = {"channel": where.id, "text": "hello", "token": slack.bot_token}
        async with (
            aiohttp.ClientSession() as session,
            session.post(slack.api_url + "chat.postMessage", json=content) as answer,
        ):
            assert answer.status == 429
            return int(answer.headers["Retry-After"])

    waits = [await retry_after(channel)]
    assert outage.impatient == 0
    clock.advance(10)
    waits.append(await retry_after(channel))
    assert outage.impatient == 1
    waits.append(await retry_after(other))  # each channel has its own limit
    clock.advance(20)
    waits.append(await retry_after(channel))

    assert waits == [30, 20, 30, 30]
    assert outage.impatient == 1
    assert channel.messages == []  # rate-limited calls are never performed


@pytest.mark.parametrize("performed", [True, False])
async def test_a_failed_response_url_call_may_have_been_performed(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person, performed: bool
) -> None:
    await erin.command(channel, "/servicetitan")
    slack.fail_next("response_url", status=500, performed=performed)

    url = bot.received[-1]["response_url"]
    statuses = [(await bot.request("POST", url, json={"text": "hi"}))[0] for _ in range(2)]

    assert statuses == [500, 200]
    assert len(erin.ephemerals) == 1 + performed


async def test_an_outage_covers_response_urls_unless_it_names_methods(
    slack: SlackSandbox, bot: StubBot, channel: Channel, erin: Person
) -> None:
    await erin.command(channel, "/servicetitan")
    url = bot.received[-1]["response_url"]

    async def answer() -> int:
        return (await bot.request("POST", url, json={"text": "hi"}))[0]

    with slack.outage(troubles=[Trouble.UNAVAILABLE]):
        in_all = await answer()
    with slack.outage(troubles=[Trouble.UNAVAILABLE], methods=["chat.postMessage"]):
        in_one = await answer()

    assert (in_all, in_one) == (503, 200)
