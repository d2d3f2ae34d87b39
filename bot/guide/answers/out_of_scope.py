"""Recognizes questions that the guide can't answer, however similar its words are. Pure."""

import re
from collections.abc import Sequence
from functools import cache

from bot.guide.answers.vocabulary import stem, words

_BEFORE = r"(?:(?:hi|hey|hello|ok|okay|so|and|also|but|well|please|pls) )*"

# “Can you cancel the booking?” asks us to do something; “can you tell me where …” asks the guide.
_REQUEST = re.compile(
    _BEFORE + r"(?:(?:can|could|would|will) (?:you|u)|please|pls) "
    r"(?:(?:guys|please|pls|just|also) )*"
    r"(?!tell|show|explain|help|remind|say|clarify|confirm|point|walk|guide|be|have|see|give me|"
    r"send me the (?:link|url|address))"
)


def is_beyond(tokens: Sequence[str]) -> bool:
    """True if a sentence of these tokens asks for what only a person can know or do."""
    table, found = words(), {stem(token) for token in tokens}
    if found & table.beyond:
        return True
    if any(found & named and not found & company for named, company in table.beyond_unless):
        return True
    sentence = " ".join(tokens)
    return bool(_REQUEST.match(sentence) or _phrases().search(sentence))


@cache
def _phrases() -> re.Pattern[str]:
    return re.compile("|".join(map(_pattern, words().hand_over.phrases)))


def _pattern(phrase: str) -> str:
    """Return a phrase of words.toml as a pattern: “*” is any word, “^” is where it begins."""
    anchored = phrase.startswith("^ ")
    inner = " ".join(
        r"\S+" if word == "*" else re.escape(word) for word in phrase.removeprefix("^ ").split()
    )
    return rf"(?:^{_BEFORE}{inner}\b)" if anchored else rf"(?:\b{inner}\b)"
