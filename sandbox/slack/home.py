"""The app's Home: each person has their own view of it (docs: App Home)."""

from sandbox.slack import modals
from sandbox.slack.change_feed import HomePublished
from sandbox.slack.model import Json, User, View
from sandbox.slack.state import State


def publish(state: State, user: User, content: Json) -> View:
    """Set the Home of a person; it keeps its id, whatever was typed there is gone."""
    before = state.homes.get(user.id)
    view = modals.new_view(state, user, content, replaced=before)
    state.homes[user.id] = view
    state.changed(HomePublished(view))
    return view


def seen_by(state: State, user: User) -> View | None:
    """The Home on the person's screen.

    To external people Slack shows "This is still a work in progress" in its place, though
    publishing answers `ok` (slackapi/bolt-js#1948).
    """
    if state.is_external(user) and not state.doubts.external_sees_home:
        return None
    return state.homes.get(user.id)


def opened(state: State, user: User) -> Json:
    """The event of a person who opens it (docs: events/app_home_opened)."""
    event: Json = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": state.direct_message(user).id,
        "tab": "home",
    }
    published = state.homes.get(user.id)
    if published is not None:
        event["view"] = modals.to_api(state, published)
    return event
