"""Works out what a message in an onboarding's thread means. Pure and deterministic.

It is careful on purpose: only words that can't mean anything else finish a step. If a message comes
close to that, or may report trouble, its author is asked.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from bot.guide import Guide, Step
from bot.guide.answers.questions import calls_somebody, is_question, mentions_somebody
from bot.guide.answers.step_words import (
    asks_status,
    chosen,
    nearly_says_done,
    normal,
    says_done,
    says_help,
    says_undo,
)
from bot.guide.answers.trouble import concerns_setup, is_past, reports_progress, reports_trouble
from bot.guide.answers.vocabulary import LONGEST, words as vocabulary

_CLAUSE = re.compile(r"(?<=[.!?…✅])\s+|\s*[;\n]+\s*|,\s+|\s+[-–—]+\s+|[.!…](?=\s|$)")
_HELP_WITH = re.compile(r"\W*help\b\W*(?P<words>\S.*)", re.IGNORECASE | re.DOTALL)
_NO_HELP = re.compile(r"help (?:yourself|is|them|him|her|others)|helps? (?:a lot|that)")
_OPEN_QUESTION = re.compile(
    r"(?:and |so |but )?(?:where|how do|how can|which|who|what (?:is|do|goes|should))\b"
)


class Meaning(StrEnum):
    DONE = "done"
    UNDO = "undo"
    STATUS = "status"
    HELP = "help"
    CHOOSE = "choose"
    TROUBLE = "trouble"
    QUESTION = "question"
    NEAR = "near"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Intent:
    """A meaning, and the words that go with it.

    `words` are the option's id for CHOOSE, and what to ask for TROUBLE and QUESTION; for DONE, the
    question that came with it. `by_command` is true for a question after the word “help”.
    """

    meaning: Meaning
    words: str = ""
    by_command: bool = field(default=False, compare=False)


NOTHING = Intent(Meaning.NOTHING)


def understand(guide: Guide, message: str, step: Step | None, *, mentioned: bool = False) -> Intent:
    """Return what `message` means if its author can act on `step`.

    `mentioned`: it mentions the bot, so it isn't for anyone else. `step` is None when all are done.
    """
    message = message[:LONGEST]
    words, to_others = normal(message), mentions_somebody(message) and not mentioned
    if exact := _exactly(message, words, step):
        if not to_others:
            return exact
        return Intent(Meaning.NEAR) if exact.meaning is Meaning.DONE else NOTHING
    if to_others:
        return NOTHING
    if "?" not in message and nearly_says_done(words):
        return Intent(Meaning.NEAR)
    if not mentioned and calls_somebody(guide, message):
        return NOTHING
    return _freely(guide, message, words, step.number if step else None)


def _freely(guide: Guide, message: str, words: str, step: int | None) -> Intent:
    """Return what a message in somebody's own words means."""
    nouns, asks = _nouns(guide), "?" in message
    trouble = reports_trouble(words, nouns)
    if not trouble and (done := _done_and_more(message, step)):
        return done
    if _NO_HELP.match(words) or (asks and says_done(words, step)):
        return NOTHING
    if asked := _HELP_WITH.fullmatch(message):
        return Intent(Meaning.QUESTION, asked["words"], by_command=True)
    if (asks or not is_past(words)) and is_question(guide, message):
        return Intent(Meaning.QUESTION, message)
    if trouble:
        return Intent(Meaning.TROUBLE, message)
    near = not asks and (reports_progress(words, nouns) or concerns_setup(words, nouns))
    return Intent(Meaning.NEAR) if near else NOTHING


def _exactly(message: str, words: str, step: Step | None) -> Intent | None:
    """Return what a message means if all of it is a command, such as “done”."""
    if not words:
        return None
    asks = "?" in message
    if step and step.choice and not asks and (option := chosen(words, step.choice)):
        return Intent(Meaning.CHOOSE, option)
    if asks_status(words, marked=asks):
        return Intent(Meaning.STATUS)
    if says_undo(words):
        return Intent(Meaning.UNDO)
    if says_help(words):
        return Intent(Meaning.HELP)
    if says_done(words, step.number if step else None) and not asks:
        return Intent(Meaning.DONE)
    return None


def _done_and_more(message: str, step: int | None) -> Intent | None:
    """Read “Done, what's next?”: clauses that mean “done”, and then a question.

    With a question mark on “done” itself, or anything else added, it's just conversation.
    """
    clauses = [one for one in _CLAUSE.split(message) if one and normal(one)]
    at = 0
    while at < len(clauses) and "?" not in clauses[at] and says_done(normal(clauses[at]), step):
        at += 1
    if at == 0:
        return _done_and_next(normal(message), step)
    rest = clauses[at:]
    if all(asks_status(normal(one), marked="?" in one) for one in rest):
        return Intent(Meaning.DONE)
    if "?" in rest[-1] and _OPEN_QUESTION.match(normal(rest[0])):
        return Intent(Meaning.DONE, message[message.index(rest[0]) :])
    if "?" in message:
        return None
    return Intent(Meaning.NEAR) if reports_progress(normal(message), frozenset()) else None


def _done_and_next(words: str, step: int | None) -> Intent | None:
    """Read “done whats next”, with nothing in between."""
    said = words.split()
    for cut in range(1, len(said)):
        first, rest = " ".join(said[:cut]), " ".join(said[cut:])
        if says_done(first, step) and asks_status(rest, marked=False):
            return Intent(Meaning.DONE)
    return None


@lru_cache(maxsize=8)
def _nouns(guide: Guide) -> frozenset[str]:
    """Return the words for what a message may be about: things in the guide, and on screens."""
    titles = [step.title for step in guide.steps] + [one.label for one in guide.credentials]
    found = {word for title in titles for word in normal(title).split() if len(word) > 1}
    both = {f"{word}s" for word in found} | {word.removesuffix("s") for word in found} | found
    table = vocabulary()
    return table.on_screens | (both - table.verbs - table.filler)
