"""Slack's mrkdwn as plain text: names for ids, fallbacks for dates, entities unescaped."""

import html
import re
from collections.abc import Callable

EMOJI = {
    "white_check_mark": "✅",
    "heavy_check_mark": "✔",
    "x": "❌",
    "warning": "⚠️",
    "lock": "🔒",
    "key": "🔑",
    "tada": "🎉",
    "hourglass_flowing_sand": "⏳",
    "bulb": "💡",
    "wave": "👋",
    "information_source": "ℹ️",
}


def readable(text: str, name_of: Callable[[str], str]) -> str:
    """The text as a reader of Slack sees it; `*bold*` and `_italic_` keep their marks."""
    shown = re.sub(r"<([^<>]*)>", lambda found: _reference(found[1], name_of), text)
    return html.unescape(with_emoji(shown))


def with_emoji(text: str) -> str:
    return re.sub(r":([a-z0-9_+-]+):", lambda found: EMOJI.get(found[1], found[0]), text)


def _reference(inside: str, name_of: Callable[[str], str]) -> str:
    """The text for `<…>`: a mention, a date, a link."""
    target, _, label = inside.partition("|")
    if target.startswith("!"):
        return label or "@" + target[1:]
    if target.startswith(("@", "#")):
        return target[0] + (label or name_of(target[1:]))
    if label and ("/archives/" in target or label == target):  # a message's URL says nothing
        return label
    return f"{label} ({target})" if label else target
