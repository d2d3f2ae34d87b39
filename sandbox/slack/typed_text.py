"""What Slack does to what people type: escapes, links, mentions (docs: formatting messages)."""

import html
import re
from collections.abc import Iterable

from sandbox.slack.model import Channel, User

# Some of the top-level domains that Slack knows.
_TOP = "com|net|org|edu|gov|io|co|us|biz|info|dev|app|me|pro|example"
# What Slack's own menus and links insert: `<@U…>`, `<#C…|acme>`, `<https://…|here>`.
_CHOSEN = (
    r"&lt;(?:[@#][A-Z0-9]+|!(?:subteam|date)\^[^|]*?|(?:https?|mailto|tel):[^|\s]*?)(?:\|.*?)?&gt;"
)
_URL = r"https?://[^\s<>|`\"]*[^\s<>|`\".,;:!?)\]}'”’*_~]"
_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_DOMAIN = (
    rf"(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_TOP})(?![\w-])"
    r"(?:/[\w/?=&;#%.-]*\w)?"
)
_PHONE = r"\(\d{3}\) ?\d{3}-\d{4}"
_LINK = re.compile(
    rf"(?P<chosen>{_CHOSEN})|(?P<url>{_URL})|(?P<mail>{_MAIL})|(?P<domain>{_DOMAIN})"
    rf"|(?P<tel>{_PHONE})",
    re.IGNORECASE,
)


def as_message(text: str) -> str:
    """A typed message as it is in events: escaped, with links, chosen mentions kept."""
    return _LINK.sub(_linked, html.escape(text, quote=False))


def as_command(text: str, people: Iterable[User], channels: Iterable[Channel]) -> str:
    """The text after a command whose `should_escape` is on: names become ids as well.

    Slack gives no name for a private channel (docs: implementing-slash-commands).
    """
    users = {f"@{user.name}": f"<@{user.id}|{user.name}>" for user in people}
    rooms = {
        f"#{room.name}": f"<#{room.id}|{room.name if room.kind == 'public' else ''}>"
        for room in channels
    }
    known = users | rooms
    # A test may also give the text as the bot receives it.
    plain = re.sub(r"&(amp|lt|gt);", lambda one: html.unescape(one[0]), text)
    return re.sub(
        r"(?<![\w<|])[@#][\w.-]*\w", lambda name: known.get(name[0], name[0]), as_message(plain)
    )


def _linked(found: re.Match[str]) -> str:
    what = found[0]
    match found.lastgroup:
        case "chosen":
            return f"<{what[4:-4]}>"
        case "url":
            return f"<{what}>"
        case "mail":
            return f"<mailto:{what}|{what}>"
        case "domain":
            return f"<http://{what}|{what}>"
        case _:
            return f"<tel:{re.sub(r'[^0-9]', '', what)}|{what}>"
