"""What we read of Slack's payloads; anything that lacks it is Malformed.

Source: docs.slack.dev, "Interaction payloads" and "Implementing slash commands". Who acted is
`user`: the outer `team` is the installing workspace for a button, the person's own for a view.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)

from bot.core.errors import Malformed
from bot.core.typed_text import as_typed, prose
from bot.onboarding.people import SLACKBOT, Person
from bot.use_cases import Request
from bot.views.ids import FormRef
from handlers.message_text import shown


class Payload(BaseModel):
    """A part of a payload. What was in it never shows in an error.

    An optional key of a type that Slack doesn't document is as good as absent.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _without_useless_keys(cls, given: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(given, Mapping):
            return read(given)
        try:
            return read(given)
        except ValidationError as error:
            wrong = {problem["loc"][0] for problem in error.errors() if problem["loc"]}
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return read({key: one for key, one in given.items() if key not in wrong & optional})

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a body; raises Malformed, without what was in it."""
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            places = {".".join(map(str, problem["loc"])) for problem in error.errors()}
            raise Malformed(f"{cls.__name__} lacks {', '.join(sorted(places))}") from None


def _delivery(kind: str, *parts: str) -> str:
    """Return the name of one request of Slack's: the same for the same request, sent again."""
    return f"{kind}:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"


class User(Payload):
    """Who acted."""

    id: str = Field(min_length=1)
    team_id: str = ""


class Channel(Payload):
    """Where a message stands."""

    id: str = Field(min_length=1)


class Container(Payload):
    """The message that bears the pressed button."""

    message_ts: str = ""
    thread_ts: str | None = None
    is_ephemeral: bool = False


class Action(Payload):
    """The pressed button."""

    action_id: str
    value: str = ""
    action_ts: str = ""


class Press(Payload):
    """A press of a button in a message: block_actions."""

    user: User
    channel: Channel
    container: Container = Container()
    actions: tuple[Action, ...] = Field(min_length=1)
    trigger_id: str = ""
    response_url: str | None = None

    @property
    def request(self) -> Request:
        """Who pressed, and where; a trigger is minted for one press alone."""
        person, action = Person(self.user.id, self.user.team_id), self.action
        pressed = (self.trigger_id, action.action_ts, action.action_id, action.value)
        return Request(person, self.channel.id, _delivery("press", self.user.id, *pressed))

    @property
    def action(self) -> Action:
        """What was pressed."""
        return self.actions[0]

    @property
    def thread_ts(self) -> str | None:
        """The thread that the button stands in; of the root message, its own."""
        return self.container.thread_ts or self.container.message_ts or None


class Shortcut(Payload):
    """A shortcut from a message's menu: message_action."""

    class Pointed(Payload):
        """The message."""

        ts: str = Field(min_length=1)
        thread_ts: str | None = None
        text: str = ""

    user: User
    channel: Channel
    message: Pointed
    callback_id: str
    action_ts: str = ""
    trigger_id: str = ""
    response_url: str | None = None

    @property
    def request(self) -> Request:
        """Who used it, and where."""
        person = Person(self.user.id, self.user.team_id)
        used = (self.trigger_id, self.action_ts, self.callback_id, self.message.ts)
        return Request(person, self.channel.id, _delivery("shortcut", self.user.id, *used))

    @property
    def thread_ts(self) -> str | None:
        """The thread that the message is in, if any."""
        return self.message.thread_ts


class HomePress(Payload):
    """A press of a button on the app's Home: it has no channel, and no response_url."""

    user: User
    actions: tuple[Action, ...] = Field(min_length=1)
    trigger_id: str = ""

    @property
    def request(self) -> Request:
        """Who pressed."""
        person, action = Person(self.user.id, self.user.team_id), self.action
        pressed = (self.trigger_id, action.action_ts, action.action_id, action.value)
        return Request(person, "", _delivery("press", self.user.id, *pressed))

    @property
    def action(self) -> Action:
        """What was pressed."""
        return self.actions[0]


class AnyPress(Payload):
    """Something that was pressed or chosen where we know nothing of it: anywhere in Slack."""

    class On(Payload):
        """The modal, or the Home, that it is on."""

        private_metadata: str = ""

    class Element(Payload):
        """What was pressed."""

        value: str | None = None

    user: User
    channel: Channel | None = None
    container: Container = Container()
    view: On | None = None
    actions: tuple[Element, ...] = ()
    trigger_id: str = ""
    response_url: str | None = None

    @property
    def thread_ts(self) -> str | None:
        """The thread that it is in, if any."""
        return self.container.thread_ts or self.container.message_ts or None

    @property
    def says_nothing(self) -> bool:
        """Whether it is a button that bears no value at all: all of ours bear one."""
        return bool(self.actions) and self.actions[0].value is None

    @property
    def behind(self) -> str:
        """The channel that it is in, or that its modal was opened from; empty if there is none."""
        if self.channel:
            return self.channel.id
        with suppress(Malformed):
            return FormRef.parse(self.view.private_metadata if self.view else "").channel
        return ""


class HomeOpened(Payload):
    """Somebody came to the app's Home, or to another tab beside it."""

    user: str = Field(min_length=1)
    tab: str = "home"


class Input(Payload):
    """The state of one input: only one of these is there, and null if it was left alone."""

    value: SecretStr | None = None
    selected_user: str | None = None
    selected_users: tuple[str, ...] | None = None
    selected_options: tuple[Mapping[str, Any], ...] | None = None


class ViewState(Payload):
    """All inputs, by block_id and action_id."""

    values: dict[str, dict[str, Input]] = {}


class SubmittedView(Payload):
    """The submitted form."""

    id: str = ""
    hash: str = ""
    external_id: str = ""
    private_metadata: str = ""
    state: ViewState = ViewState()
    blocks: tuple[Mapping[str, Any], ...] = ()


class WindowPress(HomePress):
    """A press of a button in an open modal, which knows the channel that it was opened from."""

    view: SubmittedView

    @property
    def ref(self) -> FormRef:
        """What the modal is about; raises Malformed if it is not ours."""
        return FormRef.parse(self.view.private_metadata)

    @property
    def request(self) -> Request:
        """Who pressed, and where the modal was opened."""
        return replace(super().request, channel=self.ref.channel)


class Submission(Payload):
    """A submitted form: view_submission. What was typed is kept as secrets."""

    user: User
    view: SubmittedView
    trigger_id: str = ""

    @property
    def ref(self) -> FormRef:
        """What the form is about; raises Malformed if it is not ours."""
        return FormRef.parse(self.view.private_metadata)

    def saying(self, *texts: str) -> Request:
        """Who submitted `texts`, and where the form was opened: a submission bears no channel.

        Slack keeps a form open whose answer was lost: the same texts, submitted from it again,
        are the same request. A secret is none of these: the use case marks it.
        """
        person = Person(self.user.id, self.user.team_id)
        form = (self.view.id, self.view.hash, *texts, self.view.private_metadata)
        return Request(person, self.ref.channel, _delivery("form", self.user.id, *form))

    def input(self, name: str) -> Input:
        """Return the input whose block and action both bear `name`."""
        return self.view.state.values.get(name, {}).get(name, Input())

    def text(self, name: str) -> str:
        """Return what was typed into an input that holds no secret, as it is kept."""
        value = self.input(name).value
        return prose(value.get_secret_value()) if value else ""

    def ticked(self, name: str) -> bool | None:
        """Return whether a box was ticked, None if the form has none of that name."""
        if name not in self.view.state.values:
            return None
        return bool(self.input(name).selected_options)

    @property
    def secrets(self) -> dict[str, SecretStr]:
        """Everything that was typed, by field."""
        names = self.view.state.values
        return {name: value for name in names if (value := self.input(name).value)}

    def has_input(self, block_id: str) -> bool:
        """Whether the form has an input block of that name."""
        return any(one.get("block_id") == block_id for one in self.view.blocks)

    @property
    def first_input(self) -> str:
        """The block of the first input, where an error of the whole form is shown."""
        for block in self.view.blocks:
            if block.get("type") == "input":
                return str(block.get("block_id", ""))
        return next(iter(self.view.state.values), "")


class Command(Payload):
    """A slash command."""

    user_id: str = Field(min_length=1)
    team_id: str = ""
    channel_id: str = Field(min_length=1)
    text: str = ""
    trigger_id: str = ""

    @property
    def request(self) -> Request:
        """Who typed, and where."""
        person = Person(self.user_id, self.team_id)
        typed = _delivery("command", self.user_id, self.trigger_id, self.text)
        return Request(person, self.channel_id, typed)


class Envelope(Payload):
    """What is around an event; its id stays the same when Slack sends it again."""

    event_id: str = Field(min_length=1)


class ChannelEvent(Payload):
    """An event about a channel, or about somebody in one."""

    channel: str = ""
    user: str = ""
    team: str = ""
    old_channel_id: str = ""
    new_channel_id: str = ""
    is_ext_shared: bool = False

    def request(self, envelope: Envelope) -> Request:
        """Whom it is about, and where."""
        channel = self.channel or self.old_channel_id
        told = _delivery("event", envelope.event_id, channel, self.user)
        return Request(Person(self.user, self.team), channel, told)


class InvitationAnswered(Payload):
    """What became of an invitation (docs.slack.dev, shared_channel_invite_accepted and others)."""

    class Invite(Payload):
        """The invitation itself."""

        id: str = ""
        recipient_email: str | None = None

    channel: Channel
    invite: Invite | None = None
    approval_required: bool | None = None
    accepting_user: User | None = None
    approving_user: User | None = None
    declining_user: User | None = None

    def request(self, envelope: Envelope) -> Request:
        """Who answered, and where."""
        user = self.accepting_user or self.approving_user or self.declining_user
        person = Person(user.id, user.team_id) if user else Person("", "")
        told = _delivery("event", envelope.event_id, self.channel.id)
        return Request(person, self.channel.id, told)

    @property
    def address(self) -> str:
        """Who was invited, if by e-mail."""
        return (self.invite and self.invite.recipient_email) or ""


class TokensRevoked(Payload):
    """Whose tokens were revoked: people's, the bot's, or both (docs.slack.dev, tokens_revoked)."""

    class Tokens(Payload):
        """The user ids whose tokens are gone, by the kind of token."""

        bot: tuple[str, ...] | None = None

    tokens: Tokens | None = None

    @property
    def includes_the_bots(self) -> bool:
        """Whether the bot's own token is gone; a person's is none of our business."""
        return bool(self.tokens and self.tokens.bot)


class Deletion(Payload):
    """A message that is gone: `message_deleted`, or one with replies that became a tombstone."""

    channel: str = ""
    deleted_ts: str | None = None

    @classmethod
    def of_event(cls, event: Mapping[str, Any]) -> Self | None:
        """Read a message event; None if nothing was deleted."""
        now = event.get("message")
        if event.get("subtype") == "message_deleted":
            return cls.of(event)
        if isinstance(now, Mapping) and now.get("subtype") == "tombstone":
            return cls.of({"channel": event.get("channel"), "deleted_ts": now.get("ts")})
        return None

    def request(self, envelope: Envelope) -> Request:
        """Where it was; nobody is named."""
        told = _delivery("event", envelope.event_id, self.channel, self.deleted_ts or "")
        return Request(Person("", ""), self.channel, told)


class Said(Payload):
    """A message that somebody wrote, or wrote anew."""

    channel: str = ""
    user: str = ""
    text: str = ""
    ts: str = ""
    thread_ts: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    bot_profile: Mapping[str, Any] | None = None
    team: str = ""
    user_team: str = ""
    edited: bool = False
    same_text: bool = False  # of an edit: nothing but a preview, say, is new
    everything: str = ""

    @classmethod
    def of_event(cls, event: Mapping[str, Any]) -> Self:
        """Read a message event; of an edit, what the message says now.

        `everything` is all that it shows, of an edit all that is new.
        """
        if event.get("subtype") != "message_changed":
            return cls.of({**event, "edited": False, "everything": "\n".join(shown(event))})
        now, before = event.get("message"), event.get("previous_message")
        if not isinstance(now, Mapping):
            return cls.of({"subtype": "message_changed"})
        known = shown(before) if isinstance(before, Mapping) else []
        new = [text for text in shown(now) if text not in known]
        same = isinstance(before, Mapping) and before.get("text") == now.get("text")
        where = {"channel": event.get("channel", ""), "edited": True, "same_text": same}
        return cls.of({**now, **where, "everything": "\n".join(new)})

    @property
    def is_readable(self) -> bool:
        """Whether a person wrote it, in whichever way: also `/me …`, or a channel's topic."""
        bot = self.bot_id or self.bot_profile is not None or self.user == SLACKBOT
        return bool(self.user and self.channel) and not bot

    @property
    def by_a_person(self) -> bool:
        """Whether a person wrote it: no bot, no system message, no deletion."""
        plain = self.subtype in (None, "", "thread_broadcast", "file_share", "me_message")
        return self.is_readable and plain

    @property
    def plain(self) -> str:
        """The text as it was typed."""
        return as_typed(self.text)

    def request(self, envelope: Envelope) -> Request:
        """Who wrote, and where. `team` may be that of the channel's host; `user_team` is theirs."""
        person = Person(self.user, self.user_team or self.team)
        written = _delivery("event", envelope.event_id, self.ts, self.text, self.everything)
        return Request(person, self.channel, written)

    def as_words(self, request: Request) -> Request:
        """The same for what the text says: once, however often the message is edited."""
        return replace(request, request_key=_delivery("words", self.channel, self.ts))
