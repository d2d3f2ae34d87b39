"""pins.add: what is pinned to a channel."""

import re

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Json
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
    """Pin a message, once (docs: pins.add)."""
    channel = find_channel(state, args.text("channel"))
    require_member(state, channel)
    require_open(channel)
    ts = args.maybe_text("timestamp")
    if not ts:
        raise SlackError("no_item_specified")
    if not re.fullmatch(r"\d+\.\d{6}", ts):
        raise SlackError("bad_timestamp")
    message = find_message(channel, ts)
    if message.ts in channel.pins:
        raise SlackError("already_pinned")
    channel.pins.append(message.ts)
    return {}
