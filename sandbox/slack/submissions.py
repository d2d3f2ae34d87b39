"""What happens to a submitted modal, depending on the bot's response (docs: surfaces/modals)."""

from dataclasses import dataclass, field

from sandbox.slack import views
from sandbox.slack.change_feed import Noticed, ViewRefused
from sandbox.slack.delivery import Ack
from sandbox.slack.errors import SlackError
from sandbox.slack.model import View
from sandbox.slack.state import State

TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True)
class Submission:
    """What the person sees after pressing a modal's submit button.

    `errors` are shown at the inputs of their block_ids, from Slack's client (`ack` is None then) or
    from the bot. `notice` is Slack's own complaint, and `reason` why Slack complains.
    """

    ack: Ack | None = None
    errors: dict[str, str] = field(default_factory=dict)
    notice: str | None = None
    reason: str | None = None

    @property
    def ok(self) -> bool:
        return not self.errors and self.notice is None


def refuse(state: State, view: View, errors: dict[str, str], ack: Ack | None) -> Submission:
    """Keep the modal open with errors at its inputs."""
    view.errors = errors
    state.changed(ViewRefused(view))
    return Submission(ack, errors)


def settle(state: State, view: View, ack: Ack) -> Submission:
    """Apply the bot's response to the person's modals."""
    if not ack.ok:
        return _trouble(state, view, ack, ack.failure or "")
    try:
        errors = _apply(state, view, ack)
    except SlackError as refused:
        return _trouble(state, view, ack, f"{refused.error} {refused.details or ''}".strip())
    return refuse(state, view, errors, ack) if errors else Submission(ack)


def _apply(state: State, view: View, ack: Ack) -> dict[str, str]:
    """Do what the body says; return the errors in it."""
    if not ack.body:
        if state.modals.get(view.user.id) is view:
            views.close(state, view)
        return {}
    answer = ack.json()
    if answer is None:
        raise SlackError("the body must be empty or JSON")
    match answer.get("response_action"):
        case "errors":
            return _checked_errors(view, answer.get("errors"))
        case "clear":
            views.close(state, view)
        case "update":
            views.update(state, view, views.checked(answer.get("view")))
        case unknown:
            raise SlackError(f"unknown response_action {unknown!r}")
    return {}


def _checked_errors(view: View, errors: object) -> dict[str, str]:
    """Errors must be at input blocks, as plain text."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise SlackError("response_action errors without errors")
    if strangers := sorted(errors.keys() - inputs):
        raise SlackError(f"errors name no input block: {', '.join(strangers)}")
    return {str(block_id): str(text) for block_id, text in errors.items()}


def _trouble(state: State, view: View, ack: Ack, reason: str) -> Submission:
    state.changed(Noticed(view.user, TROUBLE))
    return Submission(ack, notice=TROUBLE, reason=reason)
