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
    MRKDWN_OPTION,
    OPTION,
    PICTURE,
    SOURCE,
    plain_text,
)

USER_ID = matching("[UW][A-Z0-9]+")

_ACTION = {"action_id": string(255, 1)}
_COMMON = _ACTION | {"confirm": CONFIRM, "focus_on_load": flag, "placeholder": plain_text(150)}


def _initial_options_exist(value: Any, pointer: str) -> Iterator[str]:
    """Initial options must equal available options."""
    offered = value.get("options", [])
    initial = [value["initial_option"]] if "initial_option" in value else []
    for option in [*initial, *value.get("initial_options", [])]:
        if option not in offered:
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
        _ACTION
        | {
            "focus_on_load": flag,
            "placeholder": plain_text(150),
            "multiline": flag,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "initial_value": string(3000),
        },
    ),
    "static_select": record(
        {"options": array(OPTION, 100)},
        _COMMON | {"initial_option": OPTION},
        _initial_options_exist,
    ),
    "users_select": record({}, _COMMON | {"initial_user": USER_ID}),
    "multi_users_select": record(
        {},
        _COMMON | {"initial_users": array(USER_ID, 100), "max_selected_items": integer(1, 100)},
    ),
    "checkboxes": record(
        {"options": array(MRKDWN_OPTION, 10)},
        _ACTION
        | {
            "confirm": CONFIRM,
            "focus_on_load": flag,
            "initial_options": array(MRKDWN_OPTION, 10),
        },
        _initial_options_exist,
    ),
}
