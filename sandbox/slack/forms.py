"""The inputs of a modal: what a person may type, and how Slack reports it in `state.values`."""

from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.slack.errors import NotOfferedError
from sandbox.slack.model import Json, View

REQUIRED = "Please complete this required field."


# What a person types or chooses: a text, or the value or label of an option, or the id of a user.
Value = str | Sequence[str] | None

# The property of `state.values` that holds what was chosen, and the one with the initial choice.
_STATE = {
    "plain_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
}


def inputs(view: View) -> Iterator[tuple[Json, Json]]:
    """Each input block of the view, and the element in it."""
    for block in view.blocks:
        if block["type"] == "input":
            yield block, block["element"]


def state_values(view: View) -> Json:
    """`view.state.values`: by block_id and action_id; an untouched input is null (or empty)."""
    values: Json = {}
    for block, element in inputs(view):
        ids = (block["block_id"], element["action_id"])
        state = view.typed.get(ids) or _untouched(element)
        values.setdefault(ids[0], {})[ids[1]] = state
    return values


def fill_in(view: View, block_id: str, value: Value) -> None:
    """Type or choose `value` in the block's input."""
    for block, element in inputs(view):
        if block["block_id"] == block_id:
            state = _state(element, _chosen(element, value))
            view.typed[block_id, element["action_id"]] = state
            return
    present = ", ".join(block["block_id"] for block, _ in inputs(view))
    raise NotOfferedError(f"{view.title!r} has no input {block_id!r}; it has: {present or 'none'}")


def client_errors(view: View) -> dict[str, str]:
    """The problems that Slack's own client finds before anything is sent to the bot."""
    errors: dict[str, str] = {}
    values = state_values(view)
    for block, element in inputs(view):
        value = values[block["block_id"]][element["action_id"]][_STATE[element["type"]][0]]
        if not value and not block.get("optional", False):
            errors[block["block_id"]] = REQUIRED
        elif isinstance(value, str) and value:
            errors |= _length_errors(block["block_id"], element, value)
    return errors


def _length_errors(block_id: str, element: Json, value: str) -> dict[str, str]:
    if len(value) < element.get("min_length", 0):
        return {block_id: f"Please enter at least {element['min_length']} characters."}
    if len(value) > element.get("max_length", 3000):
        return {block_id: f"Please enter at most {element.get('max_length', 3000)} characters."}
    return {}


def _untouched(element: Json) -> Json:
    key, initial = _STATE[element["type"]]
    return _state(element, element.get(initial, [] if key.endswith("s") else None))


def _state(element: Json, value: Any) -> Json:
    return {"type": element["type"], _STATE[element["type"]][0]: value}


def _chosen(element: Json, value: Value) -> Any:
    """The value in Slack's format for this element."""
    key = _STATE[element["type"]][0]
    given = [value] if value and isinstance(value, str) else list(value or [])
    chosen: list[Any] = [_option(element, each) if "option" in key else each for each in given]
    if key.endswith("s"):
        return chosen
    (only,) = chosen or [None]
    return only


def _option(element: Json, wanted: Any) -> Json:
    """The option with this value, or with this label."""
    options: list[Json] = element["options"]
    for option in options:
        if wanted in (option["value"], option["text"]["text"]):
            return option
    offered = ", ".join(option["value"] for option in options)
    raise NotOfferedError(f"no option {wanted!r}; there are: {offered}")
