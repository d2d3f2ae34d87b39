"""The HTTP server: health checks, signatures, and signed requests that are malformed."""

import asyncio
import io
import json
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

import aiohttp
import pytest

from bot.app.in_flight import MAX_WAIT_SECONDS
from sandbox.slack import Ack
from sandbox.slack.signing import signed_headers
from tests.integration.world import World

NO_HEADERS: Mapping[str, str] = {}
FORM = "application/x-www-form-urlencoded"
CANARY = "cs1.canarycanarycanarycanary"
USER = {"id": "U0SBX000004", "team_id": "T0SBX000003"}
TEAM = {"id": "T0SBXHOME01"}
PRESS: Mapping[str, Any] = {
    "type": "block_actions",
    "user": USER,
    "team": TEAM,
    "channel": {"id": "C0SBX000005"},
    "actions": [{"type": "button", "action_id": "step_done", "block_id": "b", "value": "x:1"}],
}
VIEW = {"type": "modal", "callback_id": "enter_credentials", "private_metadata": "{}"}
SUBMISSION: Mapping[str, Any] = {
    "type": "view_submission",
    "user": USER,
    "team": TEAM,
    "view": {**VIEW, "state": {"values": {}}, "blocks": []},
}
METADATA = json.dumps({"channel": "C0SBX000005", "user_id": USER["id"], "team_id": USER["team_id"]})


def payload(content: Any) -> bytes:
    return urlencode({"payload": json.dumps(content)}).encode()


def press(**other: Any) -> bytes:
    return payload({**PRESS, **other})


def action(**other: Any) -> bytes:
    return press(actions=[{**PRESS["actions"][0], **other}])


def submission(**other: Any) -> bytes:
    return payload({**SUBMISSION, "view": {**SUBMISSION["view"], **other}})


def without(content: Mapping[str, Any], name: str) -> bytes:
    return payload({key: value for key, value in content.items() if key != name})


MALFORMED = {
    "empty": b"",
    "a single byte": b"x",
    "no payload": b"payload=",
    "payload that is not JSON": b"payload=nonsense",
    "truncated payload": b"payload=%7B%22type%22%3A",
    "payload that is a list": payload([]),
    "payload that is a number": payload(1),
    "payload that is null": payload(None),
    "payload that is a string": payload("text"),
    "payload that is empty": payload({}),
    "not UTF-8": b"payload=\xff\xfe",
    "escaped bytes that are not UTF-8": b"payload=%ff%fe",
    "a NUL": b"payload=%00",
    "deeply nested": b"payload=" + b"[" * 5000,
    "an unknown type": payload({**PRESS, "type": "block_dreams"}),
    "a type that is not a string": payload({**PRESS, "type": 7}),
    "a press without a user": without(PRESS, "user"),
    "a press without a team": without(PRESS, "team"),
    "a press without a channel": without(PRESS, "channel"),
    "a press without actions": without(PRESS, "actions"),
    "an empty list of actions": press(actions=[]),
    "actions that are not a list": press(actions="step_done"),
    "actions that are not objects": press(actions=[None]),
    "a user that is a string": press(user="U0SBX000004"),
    "a user that is a list": press(user=[]),
    "a user with an empty id": press(user={"id": ""}),
    "a channel that is null": press(channel=None),
    "an action without an action_id": press(actions=[{"type": "button", "value": "x:1"}]),
    "an action_id that is a number": action(action_id=5),
    "a value that is null": action(value=None),
    "a value that is an object": action(value={}),
    "a value without a step": action(value="0123456789abcdef"),
    "a step that is not a number": action(value="0123456789abcdef:one"),
    "a step that is a superscript digit": action(value="0123456789abcdef:²"),
    "a value with a NUL": action(value="0123\x00:1"),
    "a value with a lone surrogate": action(value="\ud800:1"),
    "a choice without an option": action(action_id="choose_account:", value="x:1"),
    "a submission without a user": without(SUBMISSION, "user"),
    "a submission without a view": without(SUBMISSION, "view"),
    "a submission without a state": payload({**SUBMISSION, "view": VIEW}),
    "a state that is null": submission(state=None),
    "a state with values of the wrong type": submission(state={"values": {"tenant_id": "1"}}),
    "a value that is a number": submission(state={"values": {"tenant_id": {"tenant_id": 1}}}),
    "metadata that is empty": submission(private_metadata=""),
    "metadata that is not JSON": submission(private_metadata="nonsense"),
    "metadata that is a list": submission(private_metadata="[]"),
    "metadata with unknown keys": submission(private_metadata='{"evil": 1}'),
    "metadata with values of the wrong type": submission(
        private_metadata=json.dumps(
            {"channel": 1, "user_id": [], "team_id": {}, "onboarding_id": 7, "step": "x"}
        )
    ),
    "metadata without an onboarding": submission(private_metadata=METADATA),
    "an unknown form": submission(callback_id="enter_dreams"),
    "a command without a user": b"command=%2Fservicetitan&channel_id=C1&team_id=T0SBXHOME01",
    "a command without a channel": b"command=%2Fservicetitan&user_id=U1&team_id=T0SBXHOME01",
    "a command with duplicate fields": b"command=%2Fservicetitan&command=%2Fservicetitan"
    b"&user_id=U1&user_id=U2",
    "an unknown command": b"command=%2Fdream&user_id=U1&channel_id=C1&team_id=T0SBXHOME01",
}
FORGERIES: dict[str, dict[str, Any]] = {
    "wrong signature": {"secret": "a1" * 16},
    "empty signature": {"headers": {"X-Slack-Signature": ""}},
    "non-ASCII signature": {"headers": {"X-Slack-Signature": "v0=é"}},
    "old timestamp": {"timestamp": str(int(time.time()) - 3600)},
    "future timestamp": {"timestamp": str(int(time.time()) + 3600)},
    "timestamp that is not a number": {"timestamp": "yesterday"},
}
EVENTS = {
    "an event that is empty": b"{}",
    "an event that is a list": b"[]",
    "an event that is not JSON": b"{",
    "an event that is not UTF-8": b"\xff",
    "a callback without an event": b'{"type": "event_callback"}',
    "a callback with a string event": b'{"type": "event_callback", "event": "x", "team_id": "T1"}',
    "an unknown event": b'{"type": "event_callback", "event": {"type": "dream"}}',
}


async def post_signed(world: World, body: bytes, content_type: str = FORM) -> Ack:
    ack = await world.slack.post_signed(body, content_type)
    await world.idle()
    return ack


async def test_healthz_and_readyz_report_a_healthy_bot(world: World) -> None:
    assert await world.get("/healthz") == (200, "alive\n")
    assert (await world.get("/readyz"))[0] == 200


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_request_is_refused_and_leaves_no_trace_in_the_log(
    begun: World, forgery: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = payload({**begun.last_interaction, "canary": CANARY})

    ack = await begun.slack.post_signed(body, FORM, **FORGERIES[forgery])
    await begun.idle()

    assert ack.status in (400, 401)
    assert CANARY not in caplog.text
    assert quote_plus(CANARY) not in caplog.text
    assert CANARY not in ack.body


async def post_unsigned(
    world: World,
    body: bytes | io.BytesIO,
    content_type: str,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Ack:
    """Post to the bot without Slack's signature, or with custom headers."""
    address, headers = f"{world.base_url}/slack/events", {"Content-Type": content_type, **headers}
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data=body, headers=headers) as answer,
    ):
        return Ack(status=answer.status, body=await answer.text())


async def test_an_unsigned_request_is_refused_and_changes_nothing(begun: World) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    undo = {"action_id": "step_undo", "value": f"{begun.onboarding}:1"}

    ack = await post_unsigned(begun, payload({**begun.last_interaction, "actions": [undo]}), FORM)
    await begun.idle()

    assert ack.status == 401
    assert begun.current == 2
    assert begun.ann.ephemerals == []


async def test_the_url_verification_challenge_requires_a_signature(world: World) -> None:
    body = json.dumps({"type": "url_verification", "challenge": CANARY}).encode()

    signed = await post_signed(world, body, "application/json")
    refused = await post_unsigned(world, body, "application/json")

    assert (signed.status, signed.json()) == (200, {"challenge": CANARY})
    assert refused.status == 401
    assert CANARY not in refused.body


async def test_malformed_interactions_never_cause_a_server_error(
    begun: World, subtests: pytest.Subtests, caplog: pytest.LogCaptureFixture
) -> None:
    before = begun.rows("SELECT * FROM onboarding")
    for name, body in MALFORMED.items():
        with subtests.test(name):
            assert (await post_signed(begun, body)).status in (200, 400, 404)
            assert begun.rows("SELECT * FROM onboarding") == before
            assert "unexpected error" not in caplog.messages


async def test_malformed_events_never_cause_a_server_error(
    world: World, subtests: pytest.Subtests
) -> None:
    for name, body in EVENTS.items():
        with subtests.test(name):
            assert (await post_signed(world, body, "application/json")).status in (200, 400, 404)


async def test_an_oversized_request_is_rejected(world: World) -> None:
    body = b"payload=" + b"x" * (256 * 1024)
    headers = signed_headers(world.slack.signing_secret, str(int(time.time())), body)

    ack = await post_unsigned(world, io.BytesIO(body), FORM, headers)

    assert ack.status == 413


async def test_a_half_sent_request_does_not_block_draining(world: World) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", world.settings.port)
    writer.write(
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 9\r\n"
        b"X-Slack-Signature: v0=0\r\nX-Slack-Request-Timestamp: %d\r\n\r\npayload" % time.time()
    )
    await world.get("/healthz")  # by then it has arrived
    began = time.monotonic()

    await world.bot.in_flight.wait_until_idle()
    await world.bot.in_flight.drain(5, quiet=0)

    assert time.monotonic() - began < MAX_WAIT_SECONDS
    writer.close()


async def test_a_malformed_request_leaves_no_trace_of_its_values(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    typed = {"client_secret": {"client_secret": {"type": "plain_text_input", "value": CANARY}}}

    for body in (
        submission(state={"values": typed}),
        submission(state={"values": {**typed, "tenant_id": 1}}),
        submission(private_metadata=CANARY),
        action(value=CANARY),
        action(action_id=CANARY),
        press(user=CANARY),
        f"payload={CANARY}".encode(),
    ):
        ack = await post_signed(begun, body)
        assert CANARY not in ack.body

    assert CANARY not in caplog.text


async def test_a_press_is_carried_out_even_if_slack_disconnects(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    asked, released = asyncio.Event(), asyncio.Event()

    async def hang(_moment: str, method: str, _arguments: Mapping[str, Any]) -> bool:
        if method == "users.info":  # looked up when a HeavySet member presses a button
            asked.set()
            await released.wait()
        return True

    newcomer = begun.slack.add_person("Max Member")
    await begun.slack.admin.invite(begun.channel, newcomer, begun.erin)
    begun.bot.directory._users._found.clear()  # joining the channel had cached them
    begun.slack.guard(hang)
    pressing = asyncio.create_task(newcomer.press(begun.message("step:1"), "choose_account:new"))
    await asyncio.wait_for(asked.wait(), 10)
    pressing.cancel()
    await asyncio.gather(pressing, return_exceptions=True)
    released.set()
    await begun.bot.in_flight.drain(5, quiet=0)
    await begun.idle()

    assert begun.events("step_done") == [(newcomer.id, 1)]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_other_paths_and_methods_are_not_served(world: World) -> None:
    assert (await world.get("/"))[0] == 404
    assert (await world.get("/slack/events"))[0] == 405
