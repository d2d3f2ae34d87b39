"""Normalizes what people type or paste.

Sources: docs.slack.dev, "Formatting message text"; Unicode Standard Annex 44, "Default Ignorable
Code Point".
"""

import json
import re
import unicodedata

# Control and format characters, and surrogates.
INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs"}
# Invisible characters of other categories: joiners, fillers, variation selectors, the braille
# blank, the object replacement character, and code points reserved for such.
INVISIBLE = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0, 0xFFFC),
    *range(0x180B, 0x1810),
    *range(0xFE00, 0xFE10),
    *range(0xFFF0, 0xFFF9),
    *(0x16FE4, 0x1D159),
    *range(0xE0000, 0xE1000),
}
# What some keyboards type instead of ASCII characters.
FULL_WIDTH = {ord(one) + 0xFEE0: one for one in map(chr, range(0x21, 0x7F))}
# What can forge a line, move a terminal's cursor, or change the direction of text: controls except
# tab and line feed, bidi controls (UAX 9), separators, tags, surrogates.
CONTROLS = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff"
    "\\ufff9-\\ufffb\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)
# <https://acme.com|acme.com>, <mailto:ann@acme.com>, <@U0ANN|ann>, <#C0ACME|>, <!here>
ESCAPE = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")


def clean(text: str) -> str:
    """Return `text` without invisible characters and without white space around it.

    White space inside stays. An emoji made of several characters is split into its parts.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    return "".join(one for one in text if not _invisible(one)).strip()


def invisible_as_spaces(text: str) -> str:
    """Return `text` with each invisible character replaced by a space."""
    return "".join(" " if _invisible(one) else one for one in text)


def half_width(text: str) -> str:
    """Return `text` as `clean` does, with full-width forms replaced by ASCII characters."""
    return clean(text.translate(FULL_WIDTH))


def one_line(text: str) -> str:
    """Return `text` as `clean` does, with each run of white space replaced by one space."""
    return " ".join(clean(text).split())


def prose(text: str) -> str:
    """Return `text` as `clean` does, with spaces and line feeds as its only white space."""
    lines = clean(text).splitlines()
    return "\n".join("".join(" " if one.isspace() else one for one in line) for line in lines)


def escape_controls(text: str) -> str:
    """Return `text` with CONTROLS escaped as in JSON: `\\u202e`. Tabs and line feeds stay."""
    return CONTROLS.sub(_escape, text)


def folded(text: str) -> str:
    """Return `text` for comparisons, ignoring case and full-width forms."""
    return unicodedata.normalize("NFKC", text).casefold()


def as_typed(text: str) -> str:
    """Return a text from Slack as it was typed, with links and `&`, `<`, `>` unescaped.

    Mentions of people, groups and channels stay as Slack writes them, without names: `<@U0ANN>`. So
    does a link with a different label, which hides its target.
    """
    return unescaped(ESCAPE.sub(_as_typed, text))


def unescaped(text: str) -> str:
    """Return `text` with the three characters that Slack escapes unescaped."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _invisible(character: str) -> bool:
    if character.isspace():
        return False
    return unicodedata.category(character) in INVISIBLE_CATEGORIES or ord(character) in INVISIBLE


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
    return re.sub(r"^(?:https?://)?(?:www\.)?|/$", "", url.casefold())
