"""Block Kit as lines of text for a terminal."""

import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.slack.forms import state_values
from sandbox.slack.model import Json, View

Readable = Callable[[str], str]


def wrapped(text: str, width: int) -> list[str]:
    """The text wrapped to `width` columns, keeping its own line breaks."""
    lines: list[str] = []
    for line in text.split("\n"):
        hanging = "   " if line.startswith("•") else ""
        lines += textwrap.wrap(line, width, subsequent_indent=hanging) or [""]
    return lines


def block_lines(blocks: list[Json], readable: Readable, width: int) -> list[str]:
    """The blocks of a message, top to bottom."""
    return [line for block in blocks for line in _block(block, readable, width)]


def modal_lines(view: View, readable: Readable, width: int) -> list[str]:
    """A modal: texts, inputs with labels, hints and errors, and its buttons."""
    lines: list[str] = []
    for block in view.blocks:
        if block["type"] == "input":
            lines += _input(view, block, readable, width)
        else:
            lines += _block(block, readable, width)
    keys = [view.content[name]["text"] for name in ("submit", "close") if view.content.get(name)]
    return [*lines, "  ".join(f"[ {key} ]" for key in keys)] if keys else lines


def _block(block: Json, readable: Readable, width: int) -> list[str]:
    match block["type"]:
        case "header":
            return wrapped(f"*{readable(block['text']['text'])}*", width)
        case "section":
            return _section(block, readable, width)
        case "context":
            words = "  ".join(
                _control(each) if each["type"] == "image" else readable(each["text"])
                for each in block["elements"]
            )
            return wrapped(words, width)
        case "actions":
            return wrapped("  ".join(_control(each) for each in block["elements"]), width)
        case "divider":
            return ["─" * (width // 2)]
        case "image":
            words = block["title"]["text"] if "title" in block else block["alt_text"]
            return wrapped(f"🖼 {words}", width)
        case "rich_text":
            words = "\n".join(
                "".join(one["text"] for one in each["elements"]) for each in block["elements"]
            )
            return wrapped(words, width)
        case other:
            return [f"({other})"]


def _section(block: Json, readable: Readable, width: int) -> list[str]:
    lines = wrapped(readable(block["text"]["text"]), width) if "text" in block else []
    for field in block.get("fields", []):
        name, _, value = readable(field["text"]).partition("\n")
        lines += textwrap.wrap(f"{name}: {value}" if value else name, width, initial_indent="  ")
    if "accessory" in block:
        lines.append(_control(block["accessory"]))
    return lines


def _control(element: Json) -> str:
    if element["type"] == "button":
        return f"[ {element['text']['text']} ]"
    return f"🖼 {element['alt_text']}"


def _input(view: View, block: Json, readable: Readable, width: int) -> Iterator[str]:
    element = block["element"]
    optional = " (optional)" if block.get("optional") else ""
    value = shown_value(state_values(view)[block["block_id"]][element["action_id"]], readable)
    is_typed = (block["block_id"], element["action_id"]) in view.typed
    yield f"*{block['label']['text']}*{optional}: {value if value and not is_typed else '______'}"
    for option in element.get("options", []) if element["type"] == "checkboxes" else []:
        yield f"  ☐ {readable(option['text']['text'])}"
    for hint in [block["hint"]["text"]] if "hint" in block else []:
        yield from textwrap.wrap(f"({hint})", width, initial_indent="  ", subsequent_indent="  ")


def shown_value(state: Json, readable: Readable) -> str:
    """What an input shows: the text, the labels of options, the names of people."""
    parts = [value for name, value in state.items() if name != "type"]
    flat = [each for part in parts for each in (part if isinstance(part, list) else [part])]
    return ", ".join(_shown(each, state["type"], readable) for each in flat if each)


def _shown(value: Any, kind: str, readable: Readable) -> str:
    if isinstance(value, dict):
        return readable(value["text"]["text"])
    return readable(f"<@{value}>") if kind.endswith("users_select") else str(value)
