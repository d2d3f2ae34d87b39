"""The views.* methods: modals and the Home tab."""

from sandbox.slack import views
from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Json, User, View
from sandbox.slack.state import State
from sandbox.slack.web_api.base import method


@method("views.open", "trigger_id view", per_minute=100)
def open_view(state: State, args: Arguments) -> Json:
    """Open a new modal; the trigger must be recent and unused (docs: views.open)."""
    content = views.checked(args.structure("view"))
    user = _exchange(state, args.text("trigger_id"))
    return {"view": views.to_api(state, views.open_modal(state, user, content))}


@method("views.update", "view_id external_id hash view", per_minute=100)
def update(state: State, args: Arguments) -> Json:
    """Change an open modal; with `hash`, only if it hasn't changed since (docs: views.update)."""
    content = views.checked(args.structure("view"))
    view = _find(state, args.maybe_text("view_id"), args.maybe_text("external_id"))
    _check_hash(args, view)
    views.update(state, view, content)
    return {"view": views.to_api(state, view)}


@method("views.publish", "user_id hash view", per_minute=100)
def publish(state: State, args: Arguments) -> Json:
    """Set the Home tab of one user (docs: views.publish)."""
    if not state.manifest.has_home:
        raise SlackError("not_enabled")
    content = views.checked(args.structure("view"), home=True)
    user = state.users.get(args.text("user_id"))
    if user is None:
        raise SlackError.because("invalid_arguments", "invalid `user_id`")
    _check_hash(args, state.homes.get(user.id))
    return {"view": views.to_api(state, views.publish(state, user, content))}


def _find(state: State, view_id: str | None, external_id: str | None) -> View:
    for view in state.modals.values():
        if view_id == view.id or (external_id and external_id == view.content.get("external_id")):
            return view
    raise SlackError("not_found")


def _check_hash(args: Arguments, view: View | None) -> None:
    expected = args.maybe_text("hash")
    if expected and (view is None or expected != view.hash):
        raise SlackError("hash_conflict")


def _exchange(state: State, trigger_id: str) -> User:
    trigger = state.triggers.get(trigger_id)
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.is_used:
        raise SlackError("exchanged_trigger_id")
    if state.clock() > trigger.expires_at:
        raise SlackError("expired_trigger_id")
    trigger.is_used = True
    return trigger.user
