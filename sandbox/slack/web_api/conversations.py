"""The conversations.* methods that read."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Json, Message
from sandbox.slack.state import State
from sandbox.slack.web_api.base import (
    CONVERSATION_SCOPES,
    find_conversation,
    method,
    require_member,
    require_scope,
)
from sandbox.slack.web_api.channels import conversation

Item = TypeVar("Item")

READ = "channels:read groups:read im:read"
HISTORY = "channels:history groups:history im:history"
WINDOW = "channel limit cursor oldest latest inclusive include_all_metadata"


@method("conversations.info", "channel", scopes=READ)
def info(state: State, args: Arguments) -> Json:
    channel = find_conversation(state, args, "read")
    return {"channel": conversation(state, channel)}


@method("conversations.members", "channel limit cursor", scopes=READ, per_minute=100)
def members(state: State, args: Arguments) -> Json:
    """Everyone in the channel, including external members."""
    channel = find_conversation(state, args, "read")
    page, cursor = _page(list(channel.members), args, default=100)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


@method("users.conversations", "types limit cursor", scopes="channels:read groups:read")
def own(state: State, args: Arguments) -> Json:
    """The channels that the bot is a member of (docs: users.conversations)."""
    kinds = args.maybe_text("types") or "public_channel"
    wanted = {kind.strip().removesuffix("_channel") for kind in kinds.split(",")}
    if not wanted <= CONVERSATION_SCOPES.keys():
        raise SlackError("invalid_types")
    for kind in sorted(wanted):
        require_scope(state, f"{CONVERSATION_SCOPES[kind]}:read")
    found = [
        channel
        for channel in state.channels.values()
        if channel.kind in wanted and state.bot.id in channel.members
    ]
    page, cursor = _page(found, args, default=100, maximum=999)
    shapes = [conversation(state, channel) for channel in page]
    return {"channels": shapes, "response_metadata": {"next_cursor": cursor}}


@method("conversations.history", WINDOW, scopes=HISTORY)
def history(state: State, args: Arguments) -> Json:
    """The channel's own messages, newest first; replies are included only if broadcast."""
    channel = find_conversation(state, args, "history")
    require_member(state, channel)
    outside_threads = [
        message
        for message in reversed(channel.messages)
        if message.thread_ts is None or message.is_broadcast
    ]
    return _messages(channel, _between(outside_threads, args), args)


@method("conversations.replies", WINDOW + " ts", scopes=HISTORY)
def replies(state: State, args: Arguments) -> Json:
    """A thread with its parent, oldest first."""
    channel = find_conversation(state, args, "history")
    if not state.doubts.bots_read_replies:
        raise SlackError("missing_scope")
    require_member(state, channel)
    parent = channel.message(args.text("ts"))
    if parent is None:
        raise SlackError("thread_not_found")
    thread = channel.thread(parent.ts)
    return _messages(channel, [parent, *_between(thread[1:], args)], args)


def _between(messages: list[Message], args: Arguments) -> list[Message]:
    oldest = args.maybe_text("oldest") or "0"
    latest = args.maybe_text("latest") or "9" * 11
    edges = args.flag("inclusive")
    return [
        message
        for message in messages
        if float(oldest) < float(message.ts) < float(latest)
        or (edges and message.ts in (oldest, latest))
    ]


def _messages(channel: Channel, found: list[Message], args: Arguments) -> Json:
    page, cursor = _page(found, args, default=100, maximum=999)
    with_metadata = args.flag("include_all_metadata")
    answer: Json = {
        "messages": [_with_replies(channel, message, with_metadata) for message in page],
        "has_more": bool(cursor),
    }
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def _with_replies(channel: Channel, message: Message, with_metadata: bool) -> Json:
    shape = message.to_api(with_metadata=with_metadata)
    answers = channel.thread(message.ts)[1:]
    if answers and message.thread_ts is None:
        shape |= {
            "thread_ts": message.ts,
            "reply_count": len(answers),
            "latest_reply": answers[-1].ts,
        }
    return shape


def _page(
    found: Sequence[Item], args: Arguments, default: int, maximum: int = 1000
) -> tuple[list[Item], str]:
    """One page and the cursor of the next (docs: apis/web-api/pagination)."""
    limit = args.number("limit", default, maximum)
    try:
        start = int(base64.b64decode(args.maybe_text("cursor") or base64.b64encode(b"0")))
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
    end = start + limit
    cursor = base64.b64encode(str(end).encode()).decode() if end < len(found) else ""
    return list(found[start:end]), cursor
