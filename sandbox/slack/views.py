"""What a person sees of the app besides messages: a modal, and its Home (docs: surfaces)."""

import json
from typing import Any

from sandbox.slack.block_kit import problems_of_view, with_block_ids
from sandbox.slack.change_feed import HomePublished, ViewShown
from sandbox.slack.errors import SlackError
from sandbox.slack.forms import inputs, state_values
from sandbox.slack.model import Json, User, View
from sandbox.slack.state import State

SIZE_LIMIT = 250_000


def checked(content: Any, *, home: bool = False) -> Json:
    """The view, if Slack would accept it."""
    if problems := problems_of_view(content, home=home):
        raise SlackError.because("invalid_arguments", *problems)
    if len(json.dumps(content)) > SIZE_LIMIT:
        raise SlackError("view_too_large")
    view: Json = content
    return view


def open_modal(state: State, user: User, content: Json) -> View:
    """Show `content`; a modal that is open is replaced."""
    view = _new_view(state, user, content)
    state.modals[user.id] = view
    state.changed(ViewShown(view))
    return view


def update(state: State, view: View, content: Json) -> None:
    """Replace the content; an input keeps its value if its block_id and action_id stay the same.

    That is also true of an untouched input: a new `initial_…` for it is ignored
    (slackapi/bolt-js#290, slackapi/bolt-python#572).
    """
    _refuse_doubled_external_id(state, content, besides=view)
    held = state_values(view)
    view.content = _stored(state, content)
    view.typed = {
        (block["block_id"], element["action_id"]): held[block["block_id"]][element["action_id"]]
        for block, element in inputs(view)
        if element["action_id"] in held.get(block["block_id"], {})
    }
    view.errors = {}
    view.hash = _new_hash(state)
    state.changed(ViewShown(view))


def close(state: State, view: View) -> None:
    del state.modals[view.user.id]
    state.touch()


def publish(state: State, user: User, content: Json) -> View:
    """Set a person's Home; it keeps its id, but what was typed there is gone."""
    before = state.homes.get(user.id)
    view = _new_view(state, user, content, replaced=before)
    state.homes[user.id] = view
    state.changed(HomePublished(view))
    return view


def home_opened(state: State, user: User) -> Json:
    """The event when a person opens it (docs: events/app_home_opened)."""
    event: Json = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": state.direct_message(user).id,
        "tab": "home",
    }
    published = state.homes.get(user.id)
    if published is not None:
        event["view"] = to_api(state, published)
    return event


def to_api(state: State, view: View) -> Json:
    """The view object in responses and payloads, with the person's team."""
    return {
        "id": view.id,
        "team_id": view.user.team.id,
        "app_id": state.app_id,
        "bot_id": state.bot_id,
        "app_installed_team_id": state.home.id,
        "hash": view.hash,
        "root_view_id": view.id,
        "previous_view_id": None,
        "state": {"values": state_values(view)},
        "callback_id": "",
        "private_metadata": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "submit": None,
        "close": None,
        **view.content,
    }


def _new_view(state: State, user: User, content: Json, *, replaced: View | None = None) -> View:
    """A view that nobody sees yet; it gets the id of the one that it replaces."""
    _refuse_doubled_external_id(state, content, besides=replaced)
    view_id = state.mint_id("V") if replaced is None else replaced.id
    return View(view_id, user, _stored(state, content), _new_hash(state))


def _stored(state: State, content: Json) -> Json:
    return {**content, "blocks": with_block_ids(content["blocks"], lambda: state.mint_id("b"))}


def _new_hash(state: State) -> str:
    return f"{state.mint_ts()}.{state.mint_id('h')}"


def _refuse_doubled_external_id(state: State, content: Json, besides: View | None = None) -> None:
    """It is unique among all views of the workspace, Homes too (docs: views.publish)."""
    external_id = content.get("external_id")
    shown = [*state.modals.values(), *state.homes.values()]
    taken = (view for view in shown if view.content.get("external_id") == external_id)
    if external_id and any(view is not besides for view in taken):
        raise SlackError("duplicate_external_id")
