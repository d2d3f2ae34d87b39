"""Block elements (docs: reference/block-kit/block-elements)."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.block_kit.objects import (
    CONFIRM,
    MRKDWN_OPTION,
    OPTION,
    OPTION_GROUP,
    OVERFLOW_OPTION,
    PICTURE,
    SOURCE,
    TYPE,
    plain_text,
)
from sandbox.slack.block_kit.schema import (
    Check,
    array,
    both,
    flag,
    integer,
    matching,
    one_of,
    problem,
    record,
    string,
)

USER_ID = matching("[UW][A-Z0-9]+")
DATE = matching(r"\d{4}-\d{2}-\d{2}")
TIME = matching(r"\d{2}:\d{2}")

_ACTION = {"action_id": string(255, 1)}
_COMMON = _ACTION | {"confirm": CONFIRM, "focus_on_load": flag, "placeholder": plain_text(150)}
_MANY = {"max_selected_items": integer(1, 100)}


def _element(required: dict[str, Check], optional: dict[str, Check]) -> Check:
    return record({"type": TYPE, **required}, optional)


def _options_or_groups(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, dict) and ("options" in value) == ("option_groups" in value):
        yield problem("must have either options or option_groups", pointer)


def _initial_options_exist(value: Any, pointer: str) -> Iterator[str]:
    """Initial options must equal options that are on offer."""
    if not isinstance(value, dict):
        return
    groups = [value, *value.get("option_groups", [])]
    offered = [option for group in groups for option in group.get("options", [])]
    initial = [value["initial_option"]] if "initial_option" in value else []
    for option in [*initial, *value.get("initial_options", [])]:
        if option not in offered:
            yield problem("initial option is not among the options", pointer)


_STATIC = _COMMON | {"options": array(OPTION, 100), "option_groups": array(OPTION_GROUP, 100)}


def _static(extra: dict[str, Check]) -> Check:
    return both(_element({}, _STATIC | extra), _options_or_groups, _initial_options_exist)


def _choices(extra: dict[str, Check]) -> Check:
    required = {"options": array(MRKDWN_OPTION, 10)}
    optional = _ACTION | {"confirm": CONFIRM, "focus_on_load": flag} | extra
    return both(_element(required, optional), _initial_options_exist)


BUTTON = _element(
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
IMAGE = both(_element({"alt_text": string(2000, 1)}, PICTURE), SOURCE)

MENUS: dict[str, Check] = {
    "overflow": _element({"options": array(OVERFLOW_OPTION, 5)}, _ACTION | {"confirm": CONFIRM}),
    "static_select": _static({"initial_option": OPTION}),
    "multi_static_select": _static({"initial_options": array(OPTION, 100)} | _MANY),
    "users_select": _element({}, _COMMON | {"initial_user": USER_ID}),
    "multi_users_select": _element({}, _COMMON | {"initial_users": array(USER_ID, 100)} | _MANY),
    "checkboxes": _choices({"initial_options": array(MRKDWN_OPTION, 10)}),
    "radio_buttons": _choices({"initial_option": MRKDWN_OPTION}),
    "datepicker": _element({}, _COMMON | {"initial_date": DATE}),
    "timepicker": _element({}, _COMMON | {"initial_time": TIME, "timezone": string(100)}),
}

# Whether typing dispatches block_actions is not modeled, so dispatch_action_config is refused.
_TYPED = _ACTION | {"focus_on_load": flag, "placeholder": plain_text(150)}
INPUTS: dict[str, Check] = {
    "plain_text_input": _element(
        {},
        _TYPED
        | {
            "multiline": flag,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "initial_value": string(3000),
        },
    ),
    "email_text_input": _element({}, _TYPED | {"initial_value": string(3000)}),
    "url_text_input": _element({}, _TYPED | {"initial_value": string(3000)}),
    "number_input": _element(
        {"is_decimal_allowed": flag},
        _TYPED | {"initial_value": string(3000), "min_value": string(50), "max_value": string(50)},
    ),
    **{kind: check for kind, check in MENUS.items() if kind != "overflow"},
}
