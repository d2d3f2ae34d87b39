"""Block elements (docs: reference/block-kit/block-elements)."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.block_kit.check_builders import (
    Check,
    array,
    flag,
    integer,
    matching,
    one_of,
    problem,
    record,
    string,
)
from sandbox.slack.block_kit.objects import (
    CONFIRM,
    OPTION,
    PICTURE,
    SOURCE,
    plain_text,
)

USER_ID = matching("[UW][A-Z0-9]+")

_ACTION = {"action_id": string(255, 1)}
_INPUT = _ACTION | {"placeholder": plain_text(150)}


def _initial_option_exists(value: Any, pointer: str) -> Iterator[str]:
    """The initial option must equal an available one."""
    if "initial_option" in value and value["initial_option"] not in value.get("options", []):
        yield problem("initial option is not among the options", pointer)


BUTTON = record(
    {"text": plain_text(75)},
    _ACTION
    | {
        "value": string(2000),
        "url": string(3000),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
IMAGE = record({"alt_text": string(2000, 1)}, PICTURE, SOURCE)

INPUTS: dict[str, Check] = {
    # Whether typing dispatches block_actions is not modeled, so dispatch_action_config is refused.
    "plain_text_input": record(
        {},
        _INPUT
        | {
            "multiline": flag,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "initial_value": string(3000),
        },
    ),
    "static_select": record(
        {"options": array(OPTION, 100)},
        _INPUT | {"initial_option": OPTION},
        _initial_option_exists,
    ),
    "users_select": record({}, _INPUT | {"initial_user": USER_ID}),
    "multi_users_select": record({}, _INPUT | {"initial_users": array(USER_ID, 100)}),
    "checkboxes": record({"options": array(OPTION, 10)}, _ACTION),
}
