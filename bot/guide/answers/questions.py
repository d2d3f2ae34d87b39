"""Whether a message asks something, and whom it asks. Pure."""

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
_CONCERNS_US = frozenset({"i", "we", "us", "me", "why"})
_ASKS_WHY = re.compile(r"why\b", re.IGNORECASE)
# “Call tomorrow?”: people making an appointment.
LONGEST_CHAT = 4
_SMALL_TALK = re.compile(
    rf"(?:{_BEFORE} )*(?:how (?:are|is) (?:you|things|everyone|everything|life)|"
    r"hows (?:it going|everything|life|things)|how (?:was|is) your|how have you been|"
    r"how (?:about|did) (?:lunch|that go)|whats up|what is up|"
    r"(?:are|were) you (?:guys )?(?:done|finished|ready|free|there|ok|around|available)|"
    r"(?:did|have) you (?:guys )?(?:finish|done|see that|have a)|who knows|"
    r"you (?:guys )?(?:done|ready|there|ok)|can you hear me|are we still on|ok with you)\b|"
    r".*\b(?:\d{1,2} ?[ap]m|(?:game|lunch|dinner|drinks|beers?) (?:today|tonight|tomorrow))\b"
)
_ENDS_AS_QUESTION = re.compile(r"\?[\W_]*$")

# Addressed to somebody else: a mention, or a name where people put one.
_MENTION = re.compile(r"<@|<!(?!date)|(?:^|\s)@\w")
_CALLED_FIRST = re.compile(
    r"\W*(?P<greeting>(?:(?:hi|hey|hello|dear|good morning|morning|ok|thanks|thank you)\b\W*)+)?"
    r"(?P<name>[^\W\d_]+)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_CALLED_LAST = re.compile(r",\s*(?P<name>[A-Z][^\W\d_]+)\W*$")
_IS_SOMEBODY = re.compile(
    r"\W*(?:is|has|did|does|was|will|can) (?P<name>[A-Z][^\W\d_]+)\b", re.IGNORECASE
)
_TO_NAMED = re.compile(r"\s*,|\W*$|\s+(?:can|could|will|would|do|did|are|have|please|pls)\b")
_TO_GREETED = re.compile(r"\W+(?:how|where|what|which|why|who|is)\b", re.IGNORECASE)


def asks(sentence: str) -> bool:
    """True if `sentence` has the form of a question, or asks for help."""
    return bool(_ENDS_AS_QUESTION.search(sentence)) or _begins_as_question(sentence)


def is_question(guide: Guide, message: str) -> bool:
    """True if a message asks something without addressing anybody in particular.

    “thanks”, “ok done?” and “Ben, can you do this today?” are left to people: a word where a name
    may be, and that is in neither `guide` nor words.toml, is a name.
    """
    if mentions_somebody(message) or calls_somebody(guide, message):
        return False
    return any(asks(part) and _is_worth_answering(part) for part in sentences(message))


def mentions_somebody(message: str) -> bool:
    """True if a message mentions a person, a group, or everybody."""
    return bool(_MENTION.search(message))


def calls_somebody(guide: Guide, message: str) -> bool:
    """True if a message addresses somebody by name."""
    return any(_calls_somebody(part, index(guide)) for part in sentences(message))


def _begins_as_question(sentence: str) -> bool:
    said = spoken(sentence)
    return bool(_QUESTION.match(said) or _HELP.match(said))


def _is_worth_answering(question: str) -> bool:
    """False for small talk, such as “really?”, “how are you?” and “lunch tomorrow?”."""
    said = tokens(question)
    if _SMALL_TALK.match(" ".join(said)):
        return False
    is_about_something = len(said) > 1 and not words().filler.issuperset(said)
    if _begins_as_question(question):
        return is_about_something or (len(said) > 3 and not _CONCERNS_US.isdisjoint(said))
    if _ASKS_WHY.match(question.strip()):
        return len(said) > 2
    return is_about_something and not (len(said) < LONGEST_CHAT and is_beyond(said))


def _calls_somebody(sentence: str, found: Index) -> bool:
    if (last := _CALLED_LAST.search(sentence)) and _is_name(last["name"], found):
        return True
    if (asked := _IS_SOMEBODY.match(sentence)) and _is_name(asked["name"], found):
        return True
    called = _CALLED_FIRST.match(sentence)
    if not called or not _is_name(called["name"], found):
        return False
    greeted = called["greeting"] and _TO_GREETED.match(called["rest"])
    return bool(greeted or _TO_NAMED.match(called["rest"]))


def _is_name(word: str, found: Index) -> bool:
    return len(word) > 1 and not found.knows(word.lower())
