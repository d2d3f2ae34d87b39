"""What a person sees in a message or a modal."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.block_kit.blocks import elements_of
from sandbox.slack.errors import NotOfferedError
from sandbox.slack.model import Json, Message, View

# Where Block Kit keeps visible text, besides the `text` of text objects.
_SHOWN = ("text", "alt_text", "initial_value", "fallback")


def buttons(where: Message | View) -> list[Json]:
    """The available buttons, top to bottom."""
    return [button for _, button in _buttons(where)]


def offers(where: Message | View, action_id: str) -> bool:
    return any(button["action_id"] == action_id for button in buttons(where))


def find_button(
    where: Message | View, action_id: str, value: str | None, block_id: str | None
) -> tuple[Json, Json]:
    """The button and its block; `value` or `block_id` distinguish identical ones."""
    for block, button in _buttons(where):
        is_here = block_id in (None, block["block_id"]) and value in (None, button.get("value"))
        if is_here and button["action_id"] == action_id:
            return block, button
    present = ", ".join(button["action_id"] for button in buttons(where)) or "none"
    raise NotOfferedError(f"no such button {action_id!r}; there are: {present}")


def visible_text(where: Message | View) -> str:
    """Everything a person can read, one piece per line; includes the fallback text."""
    shown = [where.text] if isinstance(where, Message) else [where.title]
    return "\n".join([*shown, *_texts(where.blocks)])


def _buttons(where: Message | View) -> Iterator[tuple[Json, Json]]:
    """Each button, after its block."""
    for block in where.blocks:
        for element in elements_of(block):
            if element["type"] == "button":
                yield block, element


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in _SHOWN and isinstance(each, str):
                yield each
            elif isinstance(each, dict | list):
                yield from _texts(each)
