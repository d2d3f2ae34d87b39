"""Reads what was typed after `/servicetitan` (pure).

Any kind of white space and Slack's escapes separate words, and punctuation around one is ignored:
people copy commands from messages, with their quotes and backticks, and phones turn `--` into `—`.
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

# The subcommand: letters, perhaps with hyphens (`re-open`), and punctuation around it.
FIRST = re.compile(
    r"(?:<[@!][^<>]*>|[\W_])*(?P<word>[^\W\d_]+(?:[-‐‑][^\W\d_]+)*|\d+)"
    r"(?:[^\w\s<]+(?=\s|$)|[:;,=…–—]+)?",
)
# Punctuation by itself before a name: `start -- Acme`.
LONE = re.compile(r"\A(?:[^\w\s<&]+\s+)+")
# Repetitions are bounded or start at the beginning of a run, so that matching is never slow.
_STEP = r"(?:(?:(?:steps?|number|no|nr)(?![a-z])[^\w<]{0,9}){1,3})"
_TO = r"[-–—]{1,2}|\.{2,3}|to|through|thru|until|till"
_RANGE = rf"\s*(?:[-–—,&+/]|\.{{2,3}}|and|{_TO})\s*\d"
_GAP = r"(?<![\s:,;(])[\s:,;(]+"
STEP_FIRST = re.compile(
    rf"{_STEP}?[^\w<]*(?P<step>\d{{1,3}})(?!\w|{_RANGE})[\s:,;.)\]–—-]*(?P<client>.*)",
    re.IGNORECASE | re.DOTALL,
)
STEP_LAST = re.compile(
    rf"(?P<client>.+?){_GAP}(?:{_STEP}|#)(?P<step>\d{{1,3}})\W*", re.IGNORECASE | re.DOTALL
)
_STEPS = rf"{_STEP}?[^\w<]*(?P<first>\d{{1,3}})\s*(?:{_TO})\s*{_STEP}?(?P<last>\d{{1,3}})(?!\w)"
STEPS_FIRST = re.compile(rf"{_STEPS}[\s:,;.)\]–—-]*(?P<client>.*)", re.IGNORECASE | re.DOTALL)
STEPS_LAST = re.compile(
    rf"(?P<client>.+?){_GAP}(?={_STEP}\d|#\d){_STEPS}\W*", re.IGNORECASE | re.DOTALL
)
PERSON = re.compile(
    r"(?:\b(?P<way>to|of|from)\b[^\w<]{0,9})?<@(?P<person>[UW][A-Z0-9]+)>(?P<owns>['’]s?(?!\w))?"
    r"(?:\s{0,9}\b(?:to|for)\b)?",
    re.IGNORECASE,
)
_WHICH = r"(?:(?:of|the|open|active|clients?|onboardings?|ones|them)\b\W*)"
ALL = re.compile(
    rf"(?:all|every(?:thing|one)?|each|both)\b\W*{_WHICH}{{0,4}}|{_WHICH}{{1,4}}", re.IGNORECASE
)
MINE = re.compile(
    r"(?:(?:all|everything|each)\b\W*)?(?:(?:of|from)\b\W*)?"
    r"(?:(?:mine|me|my own)\b\W*|my\b\W*(?:open\b\W*)?(?:clients?|onboardings?|ones)\b\W*)",
    re.IGNORECASE,
)
GUIDE = re.compile(
    r"(?:^|(?<=[\s,;]))guide[\s:=]+[^\w\s]*(?P<id>\w[\w-]*)[^\w\s]*(?=\s+invites?\b|\s*$)"
)
CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)>")


def split(text: str, commands: Collection[str]) -> tuple[str, str]:
    """Return the subcommand and the rest as typed.

    The subcommand is `help` if nothing with a letter was typed; if it isn't one of `commands`, it
    is the word that was typed.
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


def without_guide(words: str) -> tuple[str, str]:
    """Read `acme guide other`, also before or after `invite …`: the rest, and the guide's id.

    “guide” is part of a client's name if it has a capital letter, or if no word follows.
    """
    found = GUIDE.search(words)
    if found is None:
        return words, ""
    return f"{words[: found.start()]} {words[found.end() :]}".strip(" ,;"), found["id"]


def unwrapped(text: str) -> str:
    """Return `text` without quotes or brackets around all of it."""
    inner = text[1:-1]
    if inner and text[0] + text[-1] in PAIRS and not {text[0], text[-1]} & set(inner):
        return unwrapped(inner.strip())
    return text


@dataclass(frozen=True, slots=True)
class Named:
    """A client given by part of the name, by channel, or by both."""

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
    """Read `7`, `step 7`, `#7 acme` or `acme step 7`; None unless exactly one step is named."""
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


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who gets which clients: those that `clients` names, or all of the engineer `source`.

    `mine`: all of the requesting engineer's. Otherwise, the channel's client is meant.
    """

    engineer: str
    clients: str = ""
    source: str = ""
    mine: bool = False


def assignment(words: str) -> Assignment | None:
    """Read `@lee`, `acme, bolt to @lee`, `@lee all of @erin`; None if it isn't clear."""
    people = list(PERSON.finditer(words))
    givers = [one for one in people if one["owns"] or folded(one["way"] or "") in ("of", "from")]
    takers = [one for one in people if one not in givers]
    if len(takers) != 1 or len(givers) > 1:
        return None
    engineer, rest = takers[0]["person"], one_line(PERSON.sub(" ", words)).strip(" ,:;")
    rest = re.sub(r"(?:\A|\s)[^\w\s]+\Z", "", rest)
    if givers:
        # `from @erin to @lee` may mean all of Erin's clients, or this channel's.
        everything = ALL.fullmatch(rest) or (givers[0]["owns"] and not rest)
        return Assignment(engineer, source=givers[0]["person"]) if everything else None
    if MINE.fullmatch(rest):
        return Assignment(engineer, mine=True)
    return None if rest and ALL.fullmatch(rest) else Assignment(engineer, rest)
