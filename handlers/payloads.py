"""What we read of Slack's payloads; anything that lacks it is Malformed.

Source: docs.slack.dev, "Interaction payloads" and "Implementing slash commands". Who acted is
`user`: the outer `team` is the installing workspace for a button, the person's own for a view.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from bot.errors import Malformed
from bot.people import Person


class Payload(BaseModel):
    """A part of a payload. What was in it never shows in an error."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a body; raises Malformed, without what was in it."""
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            places = {".".join(map(str, problem["loc"])) for problem in error.errors()}
            raise Malformed(f"{cls.__name__} lacks {', '.join(sorted(places))}") from None


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


class Action(Payload):
    """The pressed button."""

    action_id: str
    value: str = ""


class Press(Payload):
    """A press of a button in a message: block_actions."""

    user: User
    channel: Channel
    container: Container = Container()
    actions: tuple[Action, ...] = Field(min_length=1)
    trigger_id: str = ""
    response_url: str | None = None

    @property
    def person(self) -> Person:
        """Who pressed."""
        return Person(self.user.id, self.user.team_id)

    @property
    def action(self) -> Action:
        """What was pressed."""
        return self.actions[0]

    @property
    def thread_ts(self) -> str | None:
        """The thread that the button stands in; of the root message, its own."""
        return self.container.thread_ts or self.container.message_ts or None


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

    private_metadata: str = ""
    state: ViewState = ViewState()
    blocks: tuple[Mapping[str, Any], ...] = ()


class Submission(Payload):
    """A submitted form: view_submission. What was typed is kept as secrets."""

    user: User
    view: SubmittedView

    @property
    def person(self) -> Person:
        """Who submitted."""
        return Person(self.user.id, self.user.team_id)

    def input(self, name: str) -> Input:
        """Return the input whose block and action both bear `name`."""
        return self.view.state.values.get(name, {}).get(name, Input())

    def text(self, name: str) -> str:
        """Return what was typed into an input that holds no secret."""
        value = self.input(name).value
        return value.get_secret_value() if value else ""

    @property
    def secrets(self) -> dict[str, SecretStr]:
        """Everything that was typed, by field."""
        names = self.view.state.values
        return {name: value for name in names if (value := self.input(name).value)}

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
    def person(self) -> Person:
        """Who typed."""
        return Person(self.user_id, self.team_id)

    @property
    def words(self) -> tuple[str, str]:
        """The subcommand in lower case, and the rest. Slack escapes &, < and > in what is typed."""
        first, _, rest = self.text.strip().partition(" ")
        plain = rest.strip().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        return first.lower(), plain
