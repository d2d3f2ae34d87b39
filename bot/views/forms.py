"""The parts of all modals: a form and its inputs."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.views.blocks import Block, Element, given, plain_text
from bot.views.ids import ENGINEER, FormRef

View = dict[str, Any]


def form(
    title: str,
    callback_id: str,
    ref: FormRef,
    blocks: Iterable[Block],
    *,
    submit: str,
    close: str = "Cancel",
) -> View:
    """Return a modal that is filled in and submitted."""
    named = {"callback_id": callback_id, "submit": plain_text(submit)}
    return notice(title, blocks, ref, close=close) | named


def notice(
    title: str, blocks: Iterable[Block], ref: FormRef | None = None, *, close: str = "Close"
) -> View:
    """Return a modal that only shows something, with nothing to submit; `ref` if it has buttons."""
    return {
        "type": "modal",
        "title": plain_text(title),
        "close": plain_text(close),
        "blocks": list(blocks),
        **given(private_metadata=str(ref) if ref else None),
    }


def entry(
    label: str, element: Element, *, hint: str | None = None, optional: bool = False
) -> Block:
    """An input whose block_id equals its element's action_id, so that errors find it."""
    return {
        "type": "input",
        "block_id": element["action_id"],
        "label": plain_text(label),
        "element": element,
        "optional": optional,
        **given(hint=plain_text(hint) if hint else None),
    }


def text_input(
    action_id: str, most: int, *, initial: str = "", example: str = "", multiline: bool = False
) -> Element:
    """A field for at most `most` characters; `example` is shown while it is empty."""
    placeholder = {"type": "plain_text", "text": example, "emoji": True} if example else None
    return {
        "type": "plain_text_input",
        "action_id": action_id,
        "max_length": most,
        **given(initial_value=initial, placeholder=placeholder, multiline=multiline),
    }


def menu(action_id: str, options: Mapping[str, str], initial: str = "") -> Element:
    """A menu of `options`, which are texts by value."""
    entries = {value: _option(value, text) for value, text in options.items()}
    return {
        "type": "static_select",
        "action_id": action_id,
        "options": list(entries.values()),
        **given(initial_option=entries.get(initial)),
    }


def checkbox(label: str, action_id: str, text: str, value: str) -> Block:
    """A single checkbox, which may stay unchecked."""
    box = {"type": "checkboxes", "action_id": action_id, "options": [_option(value, text)]}
    return entry(label, box, optional=True)


def engineer_entry(user_id: str, hint: str) -> Block:
    element = {"type": "users_select", "action_id": ENGINEER, "initial_user": user_id}
    return entry("HeavySet engineer", element, hint=hint)


def _option(value: str, text: str) -> Element:
    return {"text": plain_text(text), "value": value}
