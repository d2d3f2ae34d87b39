"""Slack payloads with keys that are null, of the wrong type, or unknown to the bot."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.slack import Ack
from tests.integration.world import World, last_reply

FORM = "application/x-www-form-urlencoded"
# A payload is meaningless without these. Slack never sends them as null.
REQUIRED = {"type", "event", "event_id", "user", "id", "actions", "action_id", "channel", "view"}
REQUIRED |= {"command", "user_id", "channel_id", "callback_id", "authorizations", "is_bot"}
INVALID_VALUES: list[Any] = [None, 17, [None], {"a": 1}]


def corrupted_copies(
    payload: Mapping[str, Any], value: Any
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield copies of a payload, each with another value for one of Slack's optional keys."""
    for path in _paths(payload):
        changed = copy.deepcopy(dict(payload))
        parent: Any = changed
        for key in path[:-1]:
            parent = parent[key]
        parent[path[-1]] = value
        yield ".".join(map(str, path)), changed


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key not in REQUIRED:
                yield (*before, key)
            if key not in ("message", "blocks", "text"):
                yield from _paths(child, (*before, key))
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _paths(child, (*before, position))


async def send_event(world: World, payload: Mapping[str, Any]) -> Ack:
    ack = await world.slack.post_signed(json.dumps(payload).encode(), "application/json")
    await world.idle()
    return ack


@pytest.mark.parametrize("value", INVALID_VALUES, ids=str)
async def test_a_press_needs_none_of_slacks_optional_keys(
    begun: World, value: Any, subtests: pytest.Subtests
) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")

    for name, payload in corrupted_copies(begun.last_interaction, value):
        if (name, value) != ("actions.0.value", 17):  # a value that names no step is refused
            with subtests.test(name):
                assert (await begun.send(payload)).status == 200


@pytest.mark.parametrize("value", INVALID_VALUES, ids=str)
async def test_a_form_needs_none_of_slacks_optional_keys(
    begun: World, value: Any, subtests: pytest.Subtests
) -> None:
    form = await begun.open(begun.ann, "step:1", "step_help")
    await begun.submit(begun.ann, form, question="Why?")

    for name, payload in corrupted_copies(begun.last_interaction, value):
        if "private_metadata" not in name:  # without it, the form's subject is unknown
            with subtests.test(name):
                assert (await begun.send(payload)).status == 200


@pytest.mark.parametrize("value", INVALID_VALUES, ids=str)
async def test_an_event_needs_none_of_slacks_optional_keys(
    begun: World, value: Any, subtests: pytest.Subtests
) -> None:
    written = await begun.ann.say(begun.channel, "hello", begun.message("root").ts)
    posted = begun.last_event("message")
    await begun.ann.edit(written, "hello there")
    edited = begun.last_event("message")

    for payload in (posted, edited):
        payload["event"] |= {
            "files": [],
            "bot_id": "",
            "attachments": [{"text": "x"}],
            "thread_ts": "",
        }
        for name, changed in corrupted_copies(payload, value):
            with subtests.test(name):
                assert (await send_event(begun, changed)).status == 200


async def test_a_command_needs_none_of_slacks_optional_keys(
    begun: World, subtests: pytest.Subtests
) -> None:
    await begun.type("status")
    [*_, sent] = [d.outgoing for d in begun.slack.deliveries if d.outgoing.kind == "slash_commands"]

    for name in sent.payload:
        if name not in REQUIRED:
            with subtests.test(name):
                fields = {key: value for key, value in sent.payload.items() if key != name}
                ack = await begun.slack.post_signed(urlencode(fields).encode(), FORM)
                assert ack.status == 200


async def test_a_null_file_entry_does_not_hide_a_secret_in_another_file_name(begun: World) -> None:
    await begun.ann.say(begun.channel, "see")
    event = begun.last_event("message")
    secret = begun.servicetitan.credentials["client_secret"]
    files = [None, {"name": None}, {"name": 5}, {"id": "F1", "name": f"{secret}.txt"}]
    event["event"] |= {"ts": "1.1", "subtype": "file_share", "files": files}

    await send_event(begun, event | {"event_id": "Ev0NULL"})

    assert "delete" in last_reply(begun.ann)


# --- unknown to the bot ---


async def test_an_unknown_home_button_opens_an_out_of_date_modal(world: World) -> None:
    await world.erin.open_home()
    await world.idle()
    home = world.erin.home
    assert home is not None
    await world.erin.press(home, "home_refresh")
    payload = world.last_interaction
    payload["actions"][0]["action_id"] = "home_of_tomorrow"

    ack = await world.send(payload)

    assert ack.status == 200
    assert "out of date" in str(world.view_of(world.erin).blocks)


@pytest.mark.parametrize("is_ours", [True, False])
async def test_an_unknown_modal_button_reports_that_it_is_out_of_date(
    begun: World, is_ours: bool
) -> None:
    await begun.type("history")
    modal = begun.view_of(begun.erin)
    await begun.press(begun.erin, "step:1", "choose_account:new")
    payload = begun.last_interaction
    for key in ("channel", "message", "response_url"):
        del payload[key]
    metadata = modal.content["private_metadata"] if is_ours else ""
    payload |= {
        "container": {"type": "view", "view_id": modal.id},
        "view": {"id": modal.id, "type": "modal", "private_metadata": metadata},
    }
    payload["actions"][0]["action_id"] = "added_later"

    ack = await begun.send(payload)

    assert ack.status == 200
    shown = last_reply(begun.erin) if is_ours else str(begun.view_of(begun.erin).blocks)
    assert "out of date" in shown


async def test_an_unknown_form_reports_that_it_is_out_of_date(begun: World) -> None:
    form = await begun.open(begun.ann, "step:1", "step_help")
    form.content["callback_id"] = "added_later"

    await begun.submit(begun.ann, form, question="Why?")

    assert "out of date" in str(begun.view_of(begun.ann).blocks)


@pytest.mark.parametrize("kind", ["shortcut", "message_action"])
async def test_an_unknown_shortcut_reports_that_it_is_out_of_date(begun: World, kind: str) -> None:
    await begun.press(begun.ann, "step:1", "choose_account:new")
    sent = begun.last_interaction
    payload = {name: sent[name] for name in ("user", "team", "token", "api_app_id")}
    payload |= {"type": kind, "callback_id": "x", "trigger_id": sent["trigger_id"]}
    if kind == "message_action":
        payload |= {"channel": sent["channel"], "message_ts": "1.1", "message": {"ts": "1.1"}}

    ack = await begun.send(payload)

    assert ack.status == 200
    shown = str(begun.view_of(begun.ann).blocks) if kind == "shortcut" else last_reply(begun.ann)
    assert "out of date" in shown


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "view_closed", "view": {"id": "V1", "callback_id": "x"}, "user": {"id": "U1"}},
        {
            "type": "block_suggestion",
            "action_id": "x",
            "block_id": "b",
            "value": "",
            "user": {"id": "U1"},
        },
        {
            "type": "interactive_message",
            "callback_id": "x",
            "actions": [{"name": "x"}],
            "user": {"id": "U1"},
        },
    ],
    ids=lambda payload: payload["type"],
)
async def test_unhandled_interaction_types_are_acknowledged(
    world: World, payload: dict[str, Any]
) -> None:
    assert (await world.send(payload)).status == 200


async def test_an_unknown_event_is_acknowledged(begun: World) -> None:
    await begun.ann.say(begun.channel, "hello")
    event = begun.last_event("message")
    event["event"] = {"type": "added_later"}

    assert (await send_event(begun, event)).status == 200
