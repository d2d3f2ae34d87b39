"""How messages are created, shown, changed and deleted, by anyone."""

from sandbox.slack.block_kit import with_block_ids
from sandbox.slack.change_feed import (
    EphemeralShown,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
)
from sandbox.slack.model import Channel, Json, Message
from sandbox.slack.state import State


def new_message(
    state: State, channel: Channel, text: str, blocks: list[Json], thread_ts: str | None = None
) -> Message:
    """A message of the bot that is not in the channel yet."""
    return Message(
        channel=channel,
        ts=state.mint_ts(),
        user=state.bot,
        text=text,
        blocks=with_block_ids(blocks, lambda: state.mint_id("b")),
        thread_ts=thread_ts,
        bot_id=state.bot_id,
        app_id=state.app_id,
    )


def show(state: State, message: Message) -> None:
    """Add the message to its channel, or an ephemeral one to what its reader sees."""
    if message.is_ephemeral:
        state.ephemerals.append(message)
        state.changed(EphemeralShown(message))
    else:
        message.channel.messages.append(message)
        state.changed(MessagePosted(message))


def delete(state: State, message: Message) -> None:
    """Delete the message, from its channel or from its reader's screen."""
    if message.is_ephemeral:
        state.ephemerals.remove(message)
    else:
        message.channel.remove(message)
    state.changed(MessageDeleted(message))


def rewrite(
    state: State, message: Message, text: str, blocks: list[Json], metadata: Json | None
) -> None:
    """Replace the message's content; `versions` keeps the earlier one."""
    message.versions.append(message.snapshot())
    message.text, message.metadata = text, metadata
    message.blocks = with_block_ids(blocks, lambda: state.mint_id("b"))
    message.edited_ts = state.mint_ts()
    if not message.is_ephemeral:
        state.changed(MessageEdited(message))
    elif message in state.ephemerals:  # one that was lost in a reload doesn't reappear
        state.changed(EphemeralShown(message))
