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

# Anyone in a channel may write 40,000 characters: every repetition here has a limit, and
# an address is looked for only where a word begins, so that the search stays linear.
_KEYWORD = (
    r"(?<![\w?&/#-])(?:pass(?:word|wort|wd|phrase|code)|passwort|kennwort|contraseña"
    r"|mot de passe|senha|pwd|pword|p/?w)"
)
_PASS = rf"(?:{_KEYWORD}|\bpass\b)"
_ACCOUNT = r"\b(?:log-?in|user(?:[ -]?(?:name|id))?|credentials?|account)"
_EMAIL = r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}"
# Letters, and digits or symbols: unlikely to be an ordinary word.
_MIXED = r"(?=[^\s,;]{0,60}[A-Za-z])(?=[^\s,;]{0,60}[\d!@#$%^&*?+])[^\s,;<>]{6}"
# Letters, digits and symbols, as in `Summer24!`; no address.
_STRONG = (
    r"(?!\S{1,64}@\S{1,64}\.)(?=\S{0,60}[A-Za-z])(?=\S{0,60}\d)(?=\S{0,60}[!@#$%^&*+])[^\s,;<>]{6}"
)
# At the end of a line, and not what people say about a password.
_ALONE = (
    r"(?!(?:required|needed|unknown|none|same|yes|no|not|missing|wrong|reset|expired|forgotten|here"
    r"|below|above|later|this|that|what|where|which|when|step|sent|ok|n/a|incorrect|invalid"
    r"|secret|entered|hidden|changed)\b|[*•x.…_<(\[{-]{3})[^\s,;<>]{4,100}[^\S\n]{0,9}(?:$|[,;])"
)
_SPACE, _OPENING = r"\s{0,9}", r"[\s\"'“`*_(]{0,9}"
PASSWORDS = re.compile(
    rf"{_PASS}{_SPACE}[:=]{_OPENING}(?:{_MIXED}|{_ALONE})"
    rf"|{_KEYWORD}(?:['’]s|\s(?:is|ist|es|lautet))?{_SPACE}(?:->|→|-|–|\s){_OPENING}{_MIXED}"
    # `the password for the new user is Summer24!`, `I set the password to Summer24!`
    rf"|{_PASS}(?:\s(?:for|of)(?:\s[^\s.?!:=]{{1,40}}){{1,4}}?)?"
    rf"(?:\s(?:was|now|set|changed|reset)){{0,2}}(?:{_SPACE}[:=]|\s(?:is|to|(?:will|should)\sbe))"
    rf"{_OPENING}{_STRONG}"
    # `login ann password hunter`, `login ann / Summer24!`, `ann@acme.com / summer24`
    rf"|{_ACCOUNT}{_SPACE}[:=]?\s{{1,9}}[^\s,;/]{{1,99}}[\s,;/]{{1,9}}(?:and\s)?{_PASS}"
    rf"{_SPACE}[:=]?{_SPACE}{_ALONE}"
    rf"|(?:{_ACCOUNT}{_SPACE}[:=]?{_SPACE}[^\s,;/|:]{{1,99}}|{_EMAIL})[\s,;:/|]{{1,9}}{_STRONG}"
    rf"|{_EMAIL}{_SPACE}[/|]{_SPACE}(?!\S{{1,64}}@){_MIXED}",
    re.IGNORECASE | re.MULTILINE,
)


def shaped(text: str, fields: Iterable[CredentialField]) -> dict[str, frozenset[str]]:
    """Return the parts of `text` that look like a value, by field."""
    plain = _plain(text)
    broken = [*_across_lines(plain)]
    found = {
        field.id: frozenset(_shaped(plain, broken, field)) for field in fields if field.is_secret
    }
    return {name: pieces for name, pieces in found.items() if pieces}


def candidates(text: str) -> frozenset[str]:
    """Return the parts of `text` that could be a value: words, without punctuation around them."""
    plain = _plain(text)
    words = [*re.split(r"[\s<>|]+", plain), *_across_lines(plain)]
    # `secret=…`, the parts of an address, and a file's name
    parts = (piece for word in words for piece in re.split(r"[=,:;/?&]|\.\w{1,5}$", word))
    pieces = {*words, *parts}
    stripped = {piece.strip(AROUND) for piece in pieces}
    return frozenset(one for piece in stripped if len(piece) >= SHORTEST for one in forms(piece))


def guesses(text: str) -> int:
    """Return how many parts of `text` may be meant as a value, because they contain digits."""
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
