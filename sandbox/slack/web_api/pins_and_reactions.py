"""What is attached to messages: pins and reactions."""

import re

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Json, Message
from sandbox.slack.state import State
from sandbox.slack.web_api.base import (
    find_channel,
    find_message,
    method,
    require_member,
    require_open,
)


@method("pins.add", "channel timestamp", scopes="pins:write", per_minute=20)
def add_pin(state: State, args: Arguments) -> Json:
    channel = _own_channel(state, args.text("channel"))
    message = _pinnable(channel, args)
    if message.ts in channel.pins:
        raise SlackError("already_pinned")
    channel.pins.append(message.ts)
    state.touch()
    return {}


@method("pins.remove", "channel timestamp", scopes="pins:write", per_minute=20)
def remove_pin(state: State, args: Arguments) -> Json:
    channel = _own_channel(state, args.text("channel"))
    message = _pinnable(channel, args)
    if message.ts not in channel.pins:
        raise SlackError("no_pin")
    channel.pins.remove(message.ts)
    state.touch()
    return {}


@method("reactions.add", "channel timestamp name", scopes="reactions:write")
def add_reaction(state: State, args: Arguments) -> Json:
    channel = _own_channel(state, args.text("channel"))
    message = find_message(channel, args.text("timestamp"))
    name = args.text("name")
    if not re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?", name):
        raise SlackError("invalid_name")
    users = message.reactions.setdefault(name, [])
    if state.bot.id in users:
        raise SlackError("already_reacted")
    users.append(state.bot.id)
    state.touch()
    return {}


def _pinnable(channel: Channel, args: Arguments) -> Message:
    """The message that the call names (docs: pins.add)."""
    ts = args.maybe_text("timestamp")
    if not ts:
        raise SlackError("no_item_specified")
    if not re.fullmatch(r"\d+\.\d{6}", ts):
        raise SlackError("bad_timestamp")
    return find_message(channel, ts)


def _own_channel(state: State, channel_id: str) -> Channel:
    channel = find_channel(state, channel_id)
    require_member(state, channel)
    require_open(channel)
    return channel
