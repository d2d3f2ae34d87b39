"""The chat.* methods: the bot's messages."""

import re
from typing import Any

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.messages import delete, new_message, rewrite, show
from sandbox.slack.model import Channel, Json, Message
from sandbox.slack.state import State
from sandbox.slack.web_api.base import (
    checked_blocks,
    find_channel,
    find_message,
    method,
    require_member,
    require_open,
)

UPDATE_TEXT_LIMIT = 4_000
POST_TEXT_LIMIT = 40_000  # longer posts are truncated, not refused (docs: chat.postMessage)
METADATA_LIMIT = 1_024  # Slack publishes no limit; this one is safe


@method(
    "chat.postMessage",
    "channel text blocks thread_ts metadata unfurl_links unfurl_media mrkdwn",
    scopes="chat:write",
    per_minute=300,
)
def post_message(state: State, args: Arguments) -> Json:
    channel = _channel_to_post_in(state, args.text("channel"))
    text, blocks = _content(state, args)
    thread_ts = _thread(state, channel, args)
    message = new_message(state, channel, text, blocks, thread_ts)
    message.metadata = _metadata(args)
    show(state, message)
    shape = message.to_api(with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shape}


@method("chat.update", "channel ts text blocks metadata", scopes="chat:write")
def update(state: State, args: Arguments) -> Json:
    """Change a message of the bot; metadata that is left out is kept (docs: chat.update)."""
    channel = find_channel(state, args.text("channel"))
    message = _own_message(state, channel, args, "cant_update_message")
    require_open(channel, "is_inactive")
    text, blocks = _content(state, args)
    if len(text) > UPDATE_TEXT_LIMIT:
        raise SlackError("msg_too_long")
    metadata = _metadata(args) if "metadata" in args else message.metadata
    rewrite(state, message, text, blocks, metadata)
    shape = message.to_api(with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": text, "message": shape}


@method(
    "chat.postEphemeral", "channel user text blocks thread_ts", scopes="chat:write", per_minute=100
)
def post_ephemeral(state: State, args: Arguments) -> Json:
    """Show a message to one member of the channel (docs: chat.postEphemeral)."""
    channel = _channel_to_post_in(state, args.text("channel"))
    user = channel.members.get(args.text("user"))
    if user is None or (state.is_external(user) and not state.doubts.ephemeral_reaches_external):
        raise SlackError("user_not_in_channel")
    text, blocks = _content(state, args)
    message = new_message(state, channel, text, blocks, _thread(state, channel, args))
    message.ephemeral_to = user
    show(state, message)
    return {"message_ts": message.ts}


@method("chat.delete", "channel ts", scopes="chat:write")
def delete_message(state: State, args: Arguments) -> Json:
    channel = find_channel(state, args.text("channel"))
    message = _own_message(state, channel, args, "cant_delete_message")
    delete(state, message)
    return {"channel": channel.id, "ts": message.ts}


def _channel_to_post_in(state: State, channel_id: str) -> Channel:
    """The channel, or the direct message with a user if the id is a user's."""
    user = state.users.get(channel_id)
    if user is not None:
        return state.direct_message(user)
    channel = find_channel(state, channel_id)
    if "chat:write.public" not in state.scopes or channel.kind != "public":
        require_member(state, channel)
    require_open(channel)
    return channel


def _content(state: State, args: Arguments) -> tuple[str, list[Json]]:
    text = (args.maybe_text("text") or "")[:POST_TEXT_LIMIT]
    blocks = checked_blocks(state, args)
    if not text and not blocks:
        raise SlackError("no_text")
    return text, blocks


def _thread(state: State, channel: Channel, args: Arguments) -> str | None:
    """The `ts` of the parent; a reply's own `ts` is refused (docs: chat.postMessage)."""
    ts = args.maybe_text("thread_ts")
    if not ts:
        return None
    if not re.fullmatch(r"\d+\.\d{6}", ts):
        message = f"[ERROR] {ts} is not a valid thread_ts"
        raise SlackError.because("invalid_thread_ts", message)
    parent = channel.message(ts)
    if parent is None and ts in channel.deleted and state.doubts.reply_to_deleted != "refused":
        return ts if state.doubts.reply_to_deleted == "tombstone" else None
    if parent is None:
        raise SlackError("thread_not_found")
    if parent.thread_ts not in (None, ts):
        raise SlackError("cannot_reply_to_message")
    return ts


def _metadata(args: Arguments) -> Json | None:
    """The message's metadata; `{}` clears it (docs: messaging/message-metadata)."""
    metadata: Any = args.structure("metadata")
    if not metadata:
        return None
    is_well_formed = (
        isinstance(metadata, dict)
        and metadata.keys() == {"event_type", "event_payload"}
        and isinstance(metadata["event_type"], str)
        and isinstance(metadata["event_payload"], dict)
    )
    if not is_well_formed:
        raise SlackError("invalid_metadata_format")
    if len(str(metadata)) > METADATA_LIMIT:
        raise SlackError("metadata_too_large")
    checked: Json = metadata
    return checked


def _own_message(state: State, channel: Channel, args: Arguments, refusal: str) -> Message:
    message = find_message(channel, args.text("ts"))
    if message.user is not state.bot:
        raise SlackError(refusal)
    return message
