"""What a Web API method is, and the checks that several of them share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.slack.arguments import Arguments
from sandbox.slack.block_kit import problems_of_blocks
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Json, Message
from sandbox.slack.pictures import problems_of_pictures
from sandbox.slack.state import State

CONVERSATION_SCOPES = {"public": "channels", "private": "groups", "im": "im"}

Run = Callable[[State, Arguments], Json]


@dataclass(frozen=True)
class Method:
    """A Web API method; any one of `scopes` allows the call (none: no scope needed).

    Spaces separate the words in `arguments` and `scopes`.
    """

    run: Run
    arguments: str
    scopes: str = ""
    per_minute: int = 50  # docs: apis/web-api/rate-limits, Tier 3
    app_token: bool = False
    needs_token: bool = True


METHODS: dict[str, Method] = {}


def method(name: str, arguments: str = "", **rules: Any) -> Callable[[Run], Run]:
    """Decorate the function of a method; `rules` are further fields of `Method`."""

    def add(run: Run) -> Run:
        METHODS[name] = Method(run, arguments, **rules)
        return run

    return add


def require_scope(state: State, *needed: str) -> None:
    """Refuse unless one of `needed` was granted to the installation."""
    provided = state.scopes
    if needed and not provided.intersection(needed):
        raise SlackError(
            "missing_scope", needed=",".join(needed), provided=",".join(sorted(provided))
        )


def find_channel(state: State, channel_id: str) -> Channel:
    """The channel, if the bot can know about it: private ones only as a member."""
    channel = state.channels.get(channel_id)
    if channel is None:
        raise SlackError("channel_not_found")
    if channel.kind != "public" and state.bot.id not in channel.members:
        raise SlackError("channel_not_found")
    return channel


def find_conversation(state: State, args: Arguments, permission: str) -> Channel:
    """The channel to read, if the scope for its kind was granted, such as `groups:history`."""
    channel = find_channel(state, args.text("channel"))
    require_scope(state, f"{CONVERSATION_SCOPES[channel.kind]}:{permission}")
    return channel


def require_member(state: State, channel: Channel) -> None:
    """Refuse unless the bot is in the channel."""
    if state.bot.id not in channel.members:
        raise SlackError("not_in_channel")


def require_open(channel: Channel, archived: str = "is_archived") -> None:
    """Refuse to write in a channel that is archived or is being migrated (docs: pins.add)."""
    if channel.is_archived:
        raise SlackError(archived)
    if channel.is_migrating:
        raise SlackError("external_channel_migrating")


def find_message(channel: Channel, ts: str) -> Message:
    message = channel.message(ts)
    if message is None:
        raise SlackError("message_not_found")
    return message


def checked_blocks(state: State, args: Arguments) -> list[Json]:
    """The call's blocks, if Slack would accept them in a message."""
    blocks: Any = args.structure("blocks")
    if blocks is None:
        return []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    malformed = problems_of_blocks(blocks)
    if problems := malformed or list(problems_of_pictures(state, blocks)):
        raise SlackError(
            "invalid_blocks", errors=problems, response_metadata={"messages": problems}
        )
    return blocks
