"""What a person can do in Slack: type, press, fill in, submit, close."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.slack import payloads, responses, views
from sandbox.slack.change_feed import (
    ButtonPressed,
    CommandTyped,
    Noticed,
    ViewSubmitted,
)
from sandbox.slack.dates import with_dates
from sandbox.slack.delivery import Ack, Courier, Outgoing
from sandbox.slack.errors import NotOfferedError, SlackError
from sandbox.slack.events import Events
from sandbox.slack.forms import Value, client_errors, fill_in
from sandbox.slack.messages import delete, rewrite, show
from sandbox.slack.model import SLACKBOT, Channel, Json, Message, Team, User, View
from sandbox.slack.screen import Screen
from sandbox.slack.state import State
from sandbox.slack.submissions import Submission, refuse, settle
from sandbox.slack.typed_text import as_command, as_message
from sandbox.slack.visible_text import find_button

PRESS_FAILED = "⚠ (the app did not answer the press)"


@dataclass(frozen=True)
class CommandReply:
    """What the person sees of a slash command's acknowledgement."""

    ack: Ack
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    is_ephemeral: bool = True
    notice: str | None = None
    message: Message | None = None  # the one whose buttons can be pressed


@dataclass(frozen=True)
class Press:
    """What Slack itself shows after a press: nothing, unless the bot failed to acknowledge."""

    ack: Ack
    notice: str | None = None


class Person(Screen):
    """Someone using a Slack client. Raises `NotOfferedError` for what Slack doesn't offer them."""

    def __init__(self, state: State, courier: Courier, events: Events, user: User) -> None:
        super().__init__(state, user)
        self._courier = courier
        self._events = events

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.real_name

    @property
    def team(self) -> Team:
        return self.user.team

    def reads(self, text: str) -> str:
        """The text as they read it: with dates as words and in their own time zone."""
        return with_dates(text, self._state.clock(), self.user.tz)

    async def command(self, channel: Channel, command: str, text: str = "") -> CommandReply:
        """Type a slash command in the channel (never in a thread: Slack has none there)."""
        if self.is_external:
            raise NotOfferedError(f"{command} is not offered to external members")
        if command not in self.commands:
            raise NotOfferedError(f"no app has a command {command}")
        self.must_be_in(channel)
        self._state.changed(CommandTyped(self.user, channel, f"{command} {text}".strip()))
        if self._state.manifest.escapes_commands:
            text = as_command(text, self._state.users.values(), self._state.channels.values())
        answer_to = self._state.mint_response_url(channel, self.user)
        fields = payloads.slash_command(self._state, self.user, channel, command, text, answer_to)
        ack = await self._courier.send(Outgoing("slash_commands", fields))
        if not ack.ok:
            error = "operation_timeout" if "timeout" in str(ack.failure) else "dispatch_failed"
            return self._command_failed(ack, f'{command} failed with the error "{error}"')
        if not ack.body:
            return CommandReply(ack)
        try:
            answer = ack.json() or {"text": ack.body}
            message = responses.respond(self._state, answer_to, answer)
        except SlackError as refused:
            return self._command_failed(ack, f"{command} failed: {refused} {refused.details}")
        if message is None:
            return CommandReply(ack)
        shown = (message.text, message.blocks, message.is_ephemeral)
        return CommandReply(ack, *shown, message=message)

    async def press(
        self,
        where: Message | View,
        action_id: str,
        *,
        value: str | None = None,
        block_id: str | None = None,
    ) -> Press:
        """Press a button that `where` shows; `value` or `block_id` distinguish identical ones.

        An older copy of a message (`message.versions`, `message.snapshot()`), or an older Home, is
        pressed as on a screen that is not up to date yet.
        """
        self.must_see(where)
        block, button = find_button(where, action_id, value, block_id)
        action = self._action(button, block["block_id"])
        self._state.changed(ButtonPressed(self.user, button["text"]["text"], where))
        if isinstance(where, View):
            return await self._interact(payloads.view_action(self._state, where, action))
        return await self._act_on_message(where, action, where.channel)

    async def press_raw(
        self, message: Message, action_id: str, value: str, *, channel: Channel | None = None
    ) -> Press:
        """Send a press that Slack's client never would: of any button, as if from any channel."""
        text = {"type": "plain_text", "text": action_id, "emoji": True}
        action = self._action({"action_id": action_id, "text": text, "value": value}, "raw")
        return await self._act_on_message(message, action, channel or message.channel)

    async def use_shortcut(self, message: Message, callback_id: str) -> Press:
        """Use one of the app's shortcuts from the message's menu (docs: message shortcuts)."""
        self.must_see(message)
        if callback_id not in self.shortcuts:
            raise NotOfferedError(f"{self.name} is offered no shortcut {callback_id!r}")
        return await self._interact(
            payloads.message_shortcut(self._state, self.user, message, callback_id)
        )

    def fill(self, view: View, values: Mapping[str, Value]) -> None:
        """Type or choose values by block_id, without submitting."""
        for block_id, value in values.items():
            fill_in(view, block_id, value)

    async def submit(self, view: View, values: Mapping[str, Value] | None = None) -> Submission:
        """Fill in `values` and press the modal's submit button."""
        self.must_have_open(view)
        if "submit" not in view.content:
            raise NotOfferedError(f"{view.title!r} has no submit button")
        self.fill(view, values or {})
        if errors := client_errors(view):
            return refuse(self._state, view, errors, ack=None)
        view.errors = {}
        self._state.changed(ViewSubmitted(view))
        payload = payloads.view_submission(self._state, view)
        ack = await self._courier.send(Outgoing("interactive", payload))
        return settle(self._state, view, ack)

    async def close(self, view: View) -> None:
        """Press Cancel or the ✕; the bot never asks to be notified."""
        self.must_have_open(view)
        views.close(self._state, view)

    async def say(
        self,
        channel: Channel,
        text: str,
        thread_ts: str | None = None,
        *,
        files: Sequence[str] = (),
        subtype: str | None = None,
        forwarded: Message | None = None,
    ) -> Message:
        """Write a message; returns when the bot has received the event, if it subscribes.

        `<@U…>` in `text` mentions somebody; everything else is escaped, and links made, as Slack
        does. `files` are names; `subtype` is `thread_broadcast` for a reply that the channel sees
        too, `me_message` for `/me`, or `bot_message` for an app's webhook. The text of a
        `forwarded` message is in an attachment.
        """
        if self.id != SLACKBOT:
            self.must_be_in(channel)
        ts = self._state.mint_ts()
        message = Message(channel, ts, self.user, as_message(text), thread_ts=thread_ts)
        message.subtype = "file_share" if files else subtype
        if self.user.is_bot or subtype == "bot_message":
            message.bot_id = self._state.mint_id("B")
        message.files = [
            {"id": self._state.mint_id("F"), "name": name, "title": name, "mode": "hosted"}
            for name in files
        ]
        message.attachments = [payloads.shared(forwarded)] if forwarded else []
        show(self._state, message)
        await self._events.delivered()
        return message

    async def edit(self, message: Message, text: str) -> None:
        self.must_own(message)
        rewrite(self._state, message, as_message(text), message.blocks, message.metadata)
        await self._events.delivered()

    async def delete(self, message: Message) -> None:
        self.must_own(message)
        delete(self._state, message)
        await self._events.delivered()

    async def react(self, message: Message, name: str) -> None:
        """Add a reaction, or remove their own."""
        self.must_be_in(message.channel)
        people = message.reactions.setdefault(name, [])
        what = "removed" if self.id in people else "added"
        (people.remove if self.id in people else people.append)(self.id)
        if not people:
            del message.reactions[name]
        item = {"type": "message", "channel": message.channel.id, "ts": message.ts}
        event = {"type": f"reaction_{what}", "user": self.id, "reaction": name, "item": item}
        self._events.send(event, message.channel)
        await self._events.delivered()

    def dismiss(self, message: Message) -> None:
        """Dismiss a message that only this person sees."""
        if message not in self.ephemerals:
            raise NotOfferedError("the private message is gone")
        self._state.ephemerals.remove(message)
        self._state.touch()

    def reload(self) -> None:
        """Restart the Slack client, which loses the private messages (docs: postEphemeral)."""
        gone = self.ephemerals
        self._state.ephemerals = [each for each in self._state.ephemerals if each not in gone]

    async def open_home(self) -> View | None:
        """Open the app's Home, and return it once the bot has received the event."""
        if not self._state.manifest.has_home:
            raise NotOfferedError("the app has no Home")
        self._events.send(views.home_opened(self._state, self.user))
        await self._events.delivered()
        return self.home

    def _action(self, button: Json, block_id: str) -> Json:
        """A pressed button as `block_actions` reports it."""
        names = ("action_id", "text", "value")
        reported: Json = {name: button[name] for name in names if name in button}
        ts = self._state.mint_ts()
        return {"type": "button", "block_id": block_id, **reported, "action_ts": ts}

    async def _act_on_message(self, message: Message, action: Json, channel: Channel) -> Press:
        return await self._interact(
            payloads.message_action(self._state, self.user, message, action, channel)
        )

    async def _interact(self, payload: Json) -> Press:
        ack = await self._courier.send(Outgoing("interactive", payload))
        if ack.ok:
            return Press(ack)
        self._state.changed(Noticed(self.user, PRESS_FAILED))
        return Press(ack, PRESS_FAILED)

    def _command_failed(self, ack: Ack, notice: str) -> CommandReply:
        self._state.changed(Noticed(self.user, notice))
        return CommandReply(ack, notice=notice)
