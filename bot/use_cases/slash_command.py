"""Reads what was typed after `/servicetitan` (pure).

White space of any kind and Slack's escapes part words, and punctuation around one doesn't matter:
people copy commands from messages, with their quotes and backticks, and phones make `—` of `--`.
A client's name keeps its own punctuation.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from bot.core.typed_text import as_typed, folded, invisible_as_spaces, one_line
from bot.onboarding.names import client_from_channel

OURS = "servicetitan"
HELP = "help"
PAIRS = (
    *("“”", "„“", "„”", "””", "‘’", "‚‘", "’’", "«»", "»«", "‹›", "›‹", "「」"),
    *('""', "''", "``", "**", "__", "~~", "()", "[]", "{}"),
)

# The subcommand: letters, perhaps with hyphens (`re-open`), and punctuation of its own.
FIRST = re.compile(
    r"(?:<[@!][^<>]*>|[\W_])*(?P<word>[^\W\d_]+(?:[-‐‑][^\W\d_]+)*|\d+)"
    r"(?:[^\w\s<]+(?=\s|$)|[:;,=…–—]+)?",
)
# Signs on their own before a name: `start -- Acme`.
LONE = re.compile(r"\A(?:[^\w\s<&]+\s+)+")
# Repetitions have limits or begin where a run of signs does, so that no text takes long to match.
_STEP = r"(?:(?:(?:steps?|number|no|nr)(?![a-z])[^\w<]{0,9}){1,3})"
_RANGE = r"\s*(?:[-–—,&+/]|and|to|through)\s*\d"
_GAP = r"(?<![\s:,;(])[\s:,;(]+"
STEP_FIRST = re.compile(
    rf"{_STEP}?[^\w<]*(?P<step>\d{{1,3}})(?!\w|{_RANGE})[\s:,;.)\]–—-]*(?P<client>.*)",
    re.IGNORECASE | re.DOTALL,
)
STEP_LAST = re.compile(
    rf"(?P<client>.+?){_GAP}(?:{_STEP}|#)(?P<step>\d{{1,3}})\W*", re.IGNORECASE | re.DOTALL
)
_STEPS = rf"{_STEP}?[^\w<]*(?P<first>\d{{1,3}})\s*(?:[-–—]|to|through)\s*(?P<last>\d{{1,3}})(?!\w)"
STEPS_FIRST = re.compile(rf"{_STEPS}[\s:,;.)\]–—-]*(?P<client>.*)", re.IGNORECASE | re.DOTALL)
STEPS_LAST = re.compile(
    rf"(?P<client>.+?){_GAP}(?={_STEP}\d|#\d){_STEPS}\W*", re.IGNORECASE | re.DOTALL
)
PERSON = re.compile(
    r"(?P<before>.*?)(?:\bto\b\W*)?<@(?P<person>[UW][A-Z0-9]+)>(?:\s*\b(?:to|for)\b)?(?P<after>.*)",
    re.IGNORECASE | re.DOTALL,
)
CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)>")


def split(text: str, commands: Collection[str]) -> tuple[str, str]:
    """Return the subcommand and the rest as typed.

    The subcommand is `help` where nothing was typed that has a letter, and, if it is none of
    `commands`, what was typed in its place.
    """
    typed = unwrapped(one_line(as_typed(text)))
    found = FIRST.match(typed)
    if found is None:
        return HELP, ""
    word, rest = folded(found["word"]), LONE.sub("", typed[found.end() :].strip())
    if word == OURS and rest:  # the command was pasted after itself
        return split(rest, commands)
    if word not in commands and (apart := invisible_as_spaces(text)) != text:
        return split(apart, commands)  # `status<U+200B>acme`
    if re.sub(r"\W", "", word) in commands:
        word = re.sub(r"\W", "", word)
    elif (begun := re.split(r"\W", word, maxsplit=1))[0] in commands:  # `status-acme`
        word, rest = begun[0], " ".join([*begun[1:], rest]).strip()
    return (HELP if word == "h" else word), rest


def unwrapped(text: str) -> str:
    """Return `text` without quotes or brackets around all of it."""
    inner = text[1:-1]
    if inner and text[0] + text[-1] in PAIRS and not {text[0], text[-1]} & set(inner):
        return unwrapped(inner.strip())
    return text


@dataclass(frozen=True, slots=True)
class Named:
    """A client by part of the name, by channel, or by both."""

    name: str = ""
    channel: str = ""

    @classmethod
    def of(cls, words: str) -> "Named":
        """Read a client's name, `#acme` or `<#C0ACME>`."""
        found = CHANNEL.search(words)
        name = one_line(CHANNEL.sub(" ", words))
        if re.fullmatch(r"[^\w\s]*#[\w.-]+\W*", name):  # a channel that Slack did not link
            name = client_from_channel(name) or name
        return cls(name if re.search(r"[^\W_]", name) else "", found[1] if found else "")


def step_and_client(words: str) -> tuple[int, str] | None:
    """Read `7`, `step 7`, `#7 acme` or `acme step 7`; None if no one step is named."""
    words = unicodedata.normalize("NFKC", words)
    found = STEP_FIRST.fullmatch(words) or STEP_LAST.fullmatch(words)
    return (int(found["step"]), found["client"]) if found else None


def steps_and_client(words: str) -> tuple[range, str] | None:
    """Read what `step_and_client` reads, or `3-8`, `3 to 8 acme`, `acme steps 3-8`."""
    words = unicodedata.normalize("NFKC", words)
    if found := STEPS_FIRST.fullmatch(words) or STEPS_LAST.fullmatch(words):
        first, last = int(found["first"]), int(found["last"])
        return (range(first, last + 1), found["client"]) if first <= last else None
    one = step_and_client(words)
    return (range(one[0], one[0] + 1), one[1]) if one else None


def person_and_client(words: str) -> tuple[str, str] | None:
    """Read `<@U0ERIN>`, `to <@U0ERIN>` or `acme to <@U0ERIN>`; None if nobody is named."""
    found = PERSON.fullmatch(words)
    return (found["person"], f"{found['before']} {found['after']}".strip()) if found else None
