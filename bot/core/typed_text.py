"""What people type or paste, as they meant it (pure).

Sources: docs.slack.dev, "Formatting message text"; Unicode Standard Annex 44, "Default Ignorable
Code Point".
"""

import json
import re
import unicodedata

# Format and control characters, and halves of characters that were cut apart.
NOTHING = {"Cc", "Cf", "Cs"}
# Of other categories, but just as invisible: joiners, fillers, variation selectors, the braille
# blank, what takes the place of a picture, and code points that are reserved for such.
INVISIBLE = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0, 0xFFFC),
    *range(0x180B, 0x1810),
    *range(0xFE00, 0xFE10),
    *range(0xFFF0, 0xFFF9),
    *(0x16FE4, 0x1D159),
    *range(0xE0000, 0xE1000),
}
# What some keyboards type for ASCII's characters.
FULL_WIDTH = {ord(one) + 0xFEE0: one for one in map(chr, range(0x21, 0x7F))}
# What forges a line, moves a terminal's cursor, or turns the direction of what comes after it:
# controls but tab and line feed, bidi controls (UAX 9), separators, tags, halves of characters.
UNSEEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff"
    "\\ufff9-\\ufffb\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)
# <https://acme.com|acme.com>, <mailto:ann@acme.com>, <@U0ANN|ann>, <#C0ACME|>, <!here>
ESCAPE = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")


def clean(text: str) -> str:
    """Return `text` without what nobody sees, and without white space around it.

    White space inside stays. An emoji made of several falls apart into its parts.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    return "".join(one for one in text if not _invisible(one)).strip()


def half_width(text: str) -> str:
    """Return `text` as `clean` does, with ASCII's characters for their full-width forms."""
    return clean(text.translate(FULL_WIDTH))


def one_line(text: str) -> str:
    """Return `text` as `clean` does, with single spaces for white space of any kind."""
    return " ".join(clean(text).split())


def prose(text: str) -> str:
    """Return `text` as `clean` does, with no white space but spaces and line feeds."""
    lines = clean(text).splitlines()
    return "\n".join("".join(" " if one.isspace() else one for one in line) for line in lines)


def escape_controls(text: str) -> str:
    """Return `text` with what acts instead of showing written out, as JSON would: `\\u202e`.

    Tabs and line feeds stay.
    """
    return UNSEEN.sub(_escape, text)


def folded(text: str) -> str:
    """Return `text` for comparisons: full-width and capital letters are as good as others."""
    return unicodedata.normalize("NFKC", text).casefold()


def as_typed(text: str) -> str:
    """Return a text of Slack's as it was typed: links and `&`, `<`, `>` are themselves.

    People, groups and channels stay as Slack writes them, without their names: `<@U0ANN>`. So does
    a link that was put behind other words, as it hides where it leads.
    """
    return unescaped(ESCAPE.sub(_as_typed, text))


def unescaped(text: str) -> str:
    """Return `text` with the three characters that Slack escapes."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _invisible(character: str) -> bool:
    if character.isspace():
        return False
    return unicodedata.category(character) in NOTHING or ord(character) in INVISIBLE


def _escape(found: re.Match[str]) -> str:
    return "\\u007f" if found[0] == "\x7f" else json.dumps(found[0])[1:-1]


def _as_typed(found: re.Match[str]) -> str:
    target, label = found[1], found[2] or ""
    if target.startswith(("@", "#", "!subteam^")):
        return f"<{target}>"
    if target.startswith("!"):
        return label if target.startswith("!date^") else f"<{target}>"
    address = re.sub(r"^(mailto|tel):", "", target)
    if target.startswith("mailto:") and "@" not in label:
        return address
    if target.startswith("http") and label and _bare(label) != _bare(target):
        return found[0]
    return label or address


def _bare(url: str) -> str:
    return re.sub(r"^https?://|/$", "", url.casefold())
