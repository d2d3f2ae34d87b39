"""What is attached to channels and messages: pins, bookmarks, reactions."""

import re

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Json
from sandbox.slack.state import State
from sandbox.slack.web_api.method import (
    Method,
    find_channel,
    find_message,
    method,
    require_member,
)


def add_pin(state: State, args: Arguments) -> Json:
    channel = _own_channel(state, args.text("channel"))
    message = find_message(channel, args.text("timestamp"))
    if message.ts in channel.pins:
        raise SlackError("already_pinned")
    channel.pins.append(message.ts)
    state.touch()
    return {}


def add_bookmark(state: State, args: Arguments) -> Json:
    channel = _own_channel(state, args.text("channel_id"))
    if args.text("type") != "link":
        raise SlackError("invalid_bookmark_type")
    bookmark: Json = {
        "id": state.mint_id("Bk"),
        "channel_id": channel.id,
        "title": args.text("title"),
        "link": args.text("link"),
        "type": "link",
    }
    channel.bookmarks.append(bookmark)
    state.touch()
    return {"bookmark": bookmark}


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


def _own_channel(state: State, channel_id: str) -> Channel:
    channel = find_channel(state, channel_id)
    require_member(state, channel)
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


METHODS: dict[str, Method] = {
    "pins.add": method(add_pin, "channel timestamp", scopes=["pins:write"], per_minute=20),
    "bookmarks.add": method(
        add_bookmark,
        "channel_id title type link emoji",
        scopes=["bookmarks:write"],
        per_minute=20,
    ),
    "reactions.add": method(add_reaction, "channel timestamp name", scopes=["reactions:write"]),
}
