"""The input of a submitted form, and the response to it: an error is shown at its input.

Nothing here logs what was received: a body may contain a secret.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import AliasPath, Field, SecretStr

from bot.core.errors import Malformed, Repeated, Unavailable
from bot.core.typed_text import prose
from bot.onboarding.people import Person
from bot.use_cases import InvalidInput, Request
from bot.views.blocks import fallback, section
from bot.views.forms import View
from bot.views.ids import FormRef
from handlers.error_replies import explain
from handlers.payloads import OpenedView, Payload, User, request_key

log = logging.getLogger(__name__)


class Input(Payload):
    """The state of an input: one of these is present, and null if it was left empty."""

    value: SecretStr | None = None
    selected_user: str | None = None
    selected_users: tuple[str, ...] | None = None
    selected_option: Mapping[str, Any] | None = None
    selected_options: tuple[Mapping[str, Any], ...] | None = None


class SubmittedView(OpenedView):
    # All inputs, by block_id and action_id.
    values: dict[str, dict[str, Input]] = Field(
        default_factory=dict, validation_alias=AliasPath("state", "values")
    )
    blocks: tuple[Mapping[str, Any], ...] = ()


class Submission(Payload):
    """A submitted form: view_submission. What was typed is kept as secrets."""

    user: User
    view: SubmittedView

    @property
    def ref(self) -> FormRef:
        return self.view.ref

    def saying(self, *texts: str) -> Request:
        """Who submitted `texts`, and where the form was opened: a submission has no channel.

        Slack keeps a form open if the response was lost: the same texts, submitted from it again,
        are the same request. Secrets aren't among them: the use case adds them to the key.
        """
        person = Person(self.user.id, self.user.team_id)
        form = (self.view.id, self.view.hash, *texts, self.view.private_metadata)
        return Request(person, self.ref.channel, request_key("form", self.user.id, *form))

    def input(self, name: str) -> Input:
        """Return the input whose block and action are both called `name`."""
        return self.view.values.get(name, {}).get(name, Input())

    def text(self, name: str) -> str:
        """Return the text of an input that holds no secret, normalized for storing."""
        value = self.input(name).value
        return prose(value.get_secret_value()) if value else ""

    def chosen(self, name: str) -> str:
        """Return the value of the option chosen from a menu; empty if none was."""
        return str((self.input(name).selected_option or {}).get("value", ""))

    def ticked(self, name: str) -> bool | None:
        """Return whether a box was checked; None if the form has no box with that name."""
        if name not in self.view.values:
            return None
        return bool(self.input(name).selected_options)

    @property
    def secrets(self) -> dict[str, SecretStr]:
        """Everything that was typed, by field."""
        names = self.view.values
        return {name: value for name in names if (value := self.input(name).value)}


async def response_to(
    form: Submission, listener: Callable[[Submission], Awaitable[View | None]]
) -> dict[str, Any]:
    """Return what Slack does with a form: close it, replace it, or show errors at its inputs.

    Raises only Malformed.
    """
    try:
        view = await listener(form)
    except Malformed:
        raise
    except Repeated:
        view = None
    except InvalidInput as error:
        return _errors(form, error.errors)
    except Unavailable as error:
        log.warning("a form could not be kept", extra={"reason": str(error)})
        text = "Not saved yet: something isn't responding. Please try again in a moment."
        return _errors(form, {"": text})
    except Exception as error:
        return _errors(form, {"": fallback([section(explain(error))])})
    return {"response_action": "update", "view": view} if view else {}


def _errors(form: Submission, texts: Mapping[str, str]) -> dict[str, Any]:
    """Show texts at their inputs, or at the first if the form has no such input.

    Slack shows no errors at other blocks.
    """
    blocks = [one.get("block_id", "") for one in form.view.blocks if one.get("type") == "input"]
    inputs = blocks or list(form.view.values)
    first = next(iter(inputs), "")
    errors = {block if block in inputs else first: text for block, text in texts.items()}
    return {"response_action": "errors", "errors": errors}
