"""All the text that a message shows (pure).

Source: docs.slack.dev, "Message object", "Attachments", "File object", "rich_text block".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.core.typed_text import unescaped

PARTS = ("text", "blocks", "attachments", "files", "file", "comment", "topic", "purpose")
# Keys whose text people don't see.
HIDDEN = {"type", "id", "ts", "mode", "mimetype", "filetype", "pretty_type"}
# The elements of these are shown without anything between them.
LINES = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")


def shown(message: Mapping[str, Any]) -> list[str]:
    """Return the texts of a message: its own, and those of its blocks, attachments and files."""
    texts = (text for part in PARTS for text in _texts(message.get(part)))
    return list(dict.fromkeys(unescaped(text) for text in texts))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, Mapping):
        if value.get("type") in LINES and isinstance(value.get("elements"), list):
            yield "".join(_piece(one) for one in value["elements"])
        for key, one in value.items():
            if key not in HIDDEN:
                yield from _texts(one)


def _piece(element: Any) -> str:
    if not isinstance(element, Mapping):
        return ""
    return str(element.get("text") or element.get("url") or "")
