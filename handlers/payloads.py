"""The parts of Slack's payloads that we read; a payload without them is Malformed.

Source: docs.slack.dev, "Interaction payloads" and "Implementing slash commands". The person who
acted is `user`: the outer `team` is the installing workspace for a button, their own for a view.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from pydantic import (
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
)

from bot.core.errors import Malformed
from bot.onboarding.people import Person
from bot.use_cases import Request
from bot.views.ids import FormRef, StepRef


class Payload(BaseModel):
    """Part of a payload; errors never show its content.

    An optional key whose type Slack doesn't document counts as absent.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True
    )

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> Mapping[str, Any]:
        """Treat values that fail to validate as absent, if the field has a default."""
        schema: dict[str, Any] = dict(handler(source))
        for field in schema["schema"]["fields"].values():
            if field["schema"]["type"] == "default":
                field["schema"]["on_error"] = "default"
        return schema

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a body; raises Malformed, without its content."""
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            places = {".".join(map(str, problem["loc"])) for problem in error.errors()}
            raise Malformed(f"{cls.__name__} lacks {', '.join(sorted(places))}") from None


def request_key(kind: str, *parts: str) -> str:
    """Return the key of a request: the same when Slack sends it again."""
    return f"{kind}:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"


class User(Payload):
    id: str = Field(min_length=1)
    team_id: str = ""


class Channel(Payload):
    id: str = Field(min_length=1)


class Container(Payload):
    """The message with the pressed button."""

    message_ts: str = ""
    thread_ts: str | None = None
    is_ephemeral: bool = False


class Action(Payload):
    action_id: str = ""
    value: str = ""
    action_ts: str = ""


FIRST_ACTION = AliasPath("actions", 0)  # Slack sends one


class OpenedView(Payload):
    id: str = ""
    hash: str = ""
    external_id: str = ""
    private_metadata: str = ""

    @property
    def ref(self) -> FormRef:
        """What the modal is about; raises Malformed if it is not ours."""
        return FormRef.parse(self.private_metadata)


class AnyPress(Payload):
    """A press of a button in a message, in a modal, or on the Home; or the use of a shortcut."""

    user: User
    channel: Channel | None = None
    container: Container = Container()
    view: OpenedView | None = None
    action: Action | None = Field(None, validation_alias=FIRST_ACTION)
    trigger_id: str = ""
    response_url: str | None = None

    @property
    def where(self) -> str:
        """The channel of the button, or where its modal was opened; empty on the Home."""
        if self.channel:
            return self.channel.id
        with suppress(Malformed):
            return self.view.ref.channel if self.view else ""
        return ""

    @property
    def thread_ts(self) -> str | None:
        """The thread of the button; the root message counts as part of its own thread."""
        return self.container.thread_ts or self.container.message_ts or None


class ButtonPress(AnyPress):
    """A press of a button; on the Home it has neither a channel nor a response_url."""

    action: Action = Field(validation_alias=FIRST_ACTION)

    @property
    def argument(self) -> str:
        """What follows the colon in the button's id."""
        return self.action.action_id.partition(":")[2]

    @property
    def step(self) -> StepRef:
        """The step that the button refers to; raises Malformed if there is none."""
        return StepRef.parse(self.action.value)

    @property
    def request(self) -> Request:
        """The person and the channel; each press has its own trigger."""
        person, action = Person(self.user.id, self.user.team_id), self.action
        pressed = (self.trigger_id, action.action_ts, action.action_id, action.value)
        return Request(person, self.where, request_key("press", self.user.id, *pressed))


class Press(ButtonPress):
    """A press of a button in a message: block_actions."""

    channel: Channel


class WindowPress(ButtonPress):
    """A press of a button in an open modal, which knows the channel where it was opened."""

    view: OpenedView


class Shortcut(Press):
    """A shortcut from a message's menu (message_action), read as a button with its callback_id."""

    class Message(Payload):
        ts: str = Field(min_length=1)
        thread_ts: str | None = None
        text: str = ""

    message: Message

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        action = {"action_id": body.get("callback_id"), "action_ts": body.get("action_ts")}
        return super().of({**body, "actions": [action]})

    @property
    def thread_ts(self) -> str | None:
        """The thread that the message is in, if any."""
        return self.message.thread_ts


class Command(Payload):
    user_id: str = Field(min_length=1)
    team_id: str = ""
    channel_id: str = Field(min_length=1)
    text: str = ""
    trigger_id: str = ""

    @property
    def request(self) -> Request:
        person = Person(self.user_id, self.team_id)
        key = request_key("command", self.user_id, self.trigger_id, self.text)
        return Request(person, self.channel_id, key)
