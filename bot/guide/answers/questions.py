"""Whether a message asks something, and of whom. Pure."""

import re

from bot.guide import Guide
from bot.guide.answers.index import Index, index
from bot.guide.answers.out_of_scope import is_beyond
from bot.guide.answers.vocabulary import sentences, spoken, tokens, words

_BEFORE = r"(?:hi|hey|hello|ok|okay|so|and|also|but|well|or|now|then|sorry|still|thanks|please|pls)"
_THING = (
    r"(?:i|we|you|u|it|he|she|they|there|this|that|these|those|the|an?|my|our|your|any|some|"
    r"anyone|someone|heavyset|servicetitan)"
)
_QUESTION = re.compile(
    rf"\W*(?:{_BEFORE}\b\W*)*(?:"
    r"(?:where|wheres|who|whos|why)\b|"
    r"(?:what|whats|how|hows)\b(?! (?:an?|nice|kind|great|cool|sweet|lovely)\b)|"
    r"which\b(?! (?:is|was|i|we)\b)|"
    r"when (?:do|does|did|is|are|will|can|should)\b|"
    rf"(?:is|are|does|can|could|should|will|would|may|must|has) {_THING}\b|"
    r"(?:do|did|have|am) (?:i|we|you|u|they)\b)"
)
_WHICH = r"(?:where|which|what|how|if)"
_HELP = re.compile(
    rf"\W*(?:(?:{_BEFORE}|i|we|im|am|are|really)\b\W*)*(?:help\b|need help\b|stuck\b|"
    r"(?:cant|cannot|dont|do not) (?:find|see)\b|"
    rf"(?:not sure|(?:have )?no (?:idea|clue)|(?:dont|do not) know) {_WHICH}\b)"
)
_ENDS_AS_QUESTION = re.compile(r"\?[\W_]*$")

# Somebody else is meant: a mention, or a name where people put it.
_MENTION = re.compile(r"<@|<!(?!date)|(?:^|\s)@\w")
_CALLED_FIRST = re.compile(
    r"\W*(?P<greeting>(?:(?:hi|hey|hello|dear|good morning|morning|ok|thanks|thank you)\b\W*)+)?"
    r"(?P<name>[^\W\d_]+)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_CALLED_LAST = re.compile(r",\s*(?P<name>[A-Z][^\W\d_]+)\W*$")
_TO_NAMED = re.compile(r"\s*,|\W*$|\s+(?:can|could|will|would|do|did|are|have|please|pls)\b")
_TO_GREETED = re.compile(r"\W+(?:how|where|what|which|why|who|is)\b", re.IGNORECASE)


def asks(sentence: str) -> bool:
    """True if `sentence` has the form of a question, or is a cry for help."""
    return bool(_ENDS_AS_QUESTION.search(sentence)) or _begins_as_question(sentence)


def is_question(guide: Guide, message: str) -> bool:
    """True if a message among people asks something, and nobody in particular.

    “thanks”, “ok done?” and “Ben, can you do this today?” are left to the people: a word that
    stands where a name may stand, and that neither `guide` nor words.toml has, is a name.
    """
    parts = sentences(message)
    if _MENTION.search(message) or any(_calls_somebody(part, index(guide)) for part in parts):
        return False
    return any(asks(part) and _is_worth_answering(part) for part in parts)


def _begins_as_question(sentence: str) -> bool:
    said = spoken(sentence)
    return bool(_QUESTION.match(said) or _HELP.match(said))


def _is_worth_answering(question: str) -> bool:
    """False for small talk, such as “really?”, “how are you?” and “lunch tomorrow?”."""
    said = tokens(question)
    is_about_something = len(said) > 1 and not words().filler.issuperset(said)
    if _begins_as_question(question):
        return is_about_something or (len(said) > 3 and not {"i", "we"}.isdisjoint(said))
    return is_about_something and not is_beyond(said)


def _calls_somebody(sentence: str, found: Index) -> bool:
    if (last := _CALLED_LAST.search(sentence)) and _is_name(last["name"], found):
        return True
    called = _CALLED_FIRST.match(sentence)
    if not called or not _is_name(called["name"], found):
        return False
    greeted = called["greeting"] and _TO_GREETED.match(called["rest"])
    return bool(greeted or _TO_NAMED.match(called["rest"]))


def _is_name(word: str, found: Index) -> bool:
    return len(word) > 1 and not found.knows(word.lower())
