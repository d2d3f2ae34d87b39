"""Finds secrets in what people write (pure).

There are two ways: text that matches the guide's secret patterns, and candidates whose fingerprints
are compared with those of the stored credentials, so that nothing is decrypted. Full-width letters,
capitals and line breaks do not hide a value.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from bot.core.typed_text import clean
from bot.guide.credential_fields import CredentialField

SHORTEST = 6  # shorter ones are too common in ordinary text
AROUND = ".,:;!?\"'`“”‘’«»()[]{}<>*_~|=\\"
MOST_LINES = 4  # that a value may be broken into

_KEYWORD = (
    r"(?<![\w?&/#-])(?:pass(?:word|wort|wd|phrase)|passwort|kennwort|contraseña|mot de passe|senha"
    r"|pwd|pw)"
)
# Letters, and digits or symbols: hardly an ordinary word.
_MIXED = r"(?=[^\s,;]*[A-Za-z])(?=[^\s,;]*[\d!@#$%^&*?+])[^\s,;<>]{6,}"
# At the end of a line, and not what people say about a password.
_ALONE = (
    r"(?!(?:required|needed|unknown|none|same|yes|no|not|missing|wrong|reset|expired|forgotten|here"
    r"|below|above|later|this|that|what|where|which|when|step|sent|ok|n/a|incorrect|invalid"
    r"|secret|entered|hidden|changed)\b|[*•x.…_<(\[{-]{3})[^\s,;<>]{4,}\s*(?:$|[,;])"
)
PASSWORDS = re.compile(
    rf"{_KEYWORD}\s*[:=][\s\"'“`*_]*(?:{_MIXED}|{_ALONE})"
    rf"|{_KEYWORD}\s+(?:is|ist|es|->|→|-|–)?[\s\"'“`*_]*{_MIXED}"
    rf"|\b(?:login|user(?:name)?)\s*[:=]?\s+\S+[\s,;/]+(?:and\s+)?{_KEYWORD}\s*[:=]?\s*{_ALONE}"
    rf"|[\w.+-]+@[\w-]+\.[\w.-]+\s*[/|]\s*(?!\S+@){_MIXED}",
    re.IGNORECASE | re.MULTILINE,
)


def looks_like(text: str, fields: Iterable[CredentialField]) -> tuple[str, ...]:
    """Return the fields whose values `text` seems to hold."""
    return tuple(shaped(text, fields))


def shaped(text: str, fields: Iterable[CredentialField]) -> dict[str, frozenset[str]]:
    """Return the parts of `text` that look like a value, by field."""
    plain = _plain(text)
    broken = [*_across_lines(plain)]
    found = {
        field.id: frozenset(_shaped(plain, broken, field))
        for field in fields
        if field.secret_pattern
    }
    return {name: pieces for name, pieces in found.items() if pieces}


def candidates(text: str) -> frozenset[str]:
    """Return the parts of `text` that could be a value: words, without punctuation around them."""
    plain = _plain(text)
    words = [*re.split(r"[\s<>|]+", plain), *_across_lines(plain)]
    pieces = {*words, *(piece for word in words for piece in re.split(r"[=,:;]", word))}
    stripped = {piece.strip(AROUND) for piece in pieces}
    return frozenset(one for piece in stripped if len(piece) >= SHORTEST for one in forms(piece))


def guesses(text: str) -> int:
    """Return how many parts of `text` may be meant as a value, because they have digits."""
    words = (word.strip(AROUND).lower() for word in re.split(r"[\s<>|=,:;]+", _plain(text)))
    return len({word for word in words if len(word) >= SHORTEST and re.search(r"\d", word)})


def contains_value(text: str, value: str) -> bool:
    """Whether a text contains a value, whatever is around it."""
    return not forms(value).isdisjoint(candidates(text)) or value.lower() in _plain(text).lower()


def forms(piece: str) -> set[str]:
    """Return a piece and its lowercase form: values are lowercase, but keyboards capitalize."""
    return {piece, piece.lower()}


def contains_password(text: str) -> bool:
    return PASSWORDS.search(_plain(text)) is not None


def _plain(text: str) -> str:
    return clean(unicodedata.normalize("NFKC", text))


def _shaped(plain: str, broken: Iterable[str], field: CredentialField) -> Iterator[str]:
    for one in re.finditer(field.secret_pattern, plain, re.IGNORECASE):
        yield one[0]
    for word in broken:
        if field.usual and re.fullmatch(field.usual, word, re.IGNORECASE):
            yield word


def _across_lines(text: str) -> Iterator[str]:
    """Yield the joined ends and beginnings of successive lines."""
    lines = [words for line in text.splitlines() if (words := line.split())]
    for number, words in enumerate(lines):
        joined = words[-1].strip(AROUND)
        for following in lines[number + 1 : number + MOST_LINES]:
            joined += following[0].strip(AROUND)
            yield joined
            if len(following) > 1:
                break
