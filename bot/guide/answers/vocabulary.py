"""What people write, as the words that count: cleaned, unified, by their stems. Pure."""

import html
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import snowballstemmer  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).with_name("words.toml")
LONGEST = 1000  # characters of a message that are read

# Slack's markup (docs.slack.dev, "Formatting message text"), and emoji as Slack sends them.
_HIDDEN = re.compile(r"<[@#!][^>]*>|:[a-z][a-z0-9_+-]*:", re.IGNORECASE)
_LINK = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_SENTENCES = re.compile(r"(?<=[^.][.!?])\s+|\n+")

Stems = tuple[str, ...]


class _HandOver(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: str
    phrases: tuple[str, ...]
    unless: dict[str, str]


class _File(BaseModel):
    """words.toml: lists are strings of words, and so are the keys of tables."""

    model_config = ConfigDict(extra="forbid")

    filler: str
    apart: str
    on_screens: str
    elsewhere: str
    verbs: str
    around_answers: str
    same: dict[str, str]
    hints: dict[str, str]
    synonyms: dict[str, str]
    hand_over: _HandOver


@dataclass(frozen=True, slots=True)
class Words:
    """The table of words.toml, by stems where it goes by stems."""

    filler: frozenset[str]
    on_screens: frozenset[str]
    elsewhere: frozenset[str]
    verbs: frozenset[str]
    around_answers: frozenset[str]
    same: Mapping[tuple[str, ...], tuple[str, ...]]
    hints: Mapping[str, Stems]
    synonyms: Mapping[str, Stems]
    hand_over: frozenset[str]
    phrases: tuple[str, ...]
    unless: tuple[tuple[frozenset[str], frozenset[str]], ...]
    known: frozenset[str]  # every word of the file, as it stands there


def sentences(message: str) -> list[str]:
    """Cut what somebody wrote in Slack into sentences, without markup."""
    text = _LINK.sub(lambda link: link[2] or link[1], _HIDDEN.sub(" ", message[:LONGEST]))
    return [part for part in _SENTENCES.split(html.unescape(text)) if part.strip()]


def spoken(text: str) -> str:
    """Return `text` in lower case and without apostrophes: “Don’t” is “dont”, “I’d” “i would”."""
    return re.sub(r"['’`]", "", re.sub(r"\bi['’`]d\b", "i would", text.lower()))


def tokens(text: str) -> list[str]:
    """Return the words of `text`, as they are spoken."""
    return re.findall(r"[a-z0-9]+", spoken(text))


def unified(found: Sequence[str]) -> list[str]:
    """Return tokens with one name for what has several: “sign in” is “login”."""
    same, at = words().same, 0
    result: list[str] = []
    while at < len(found):
        for length in (3, 2, 1):
            key = tuple(found[at : at + length])
            if key in same:
                result += same[key]
                at += len(key)
                break
        else:
            result.append(found[at])
            at += 1
    return result


@lru_cache(maxsize=10_000)
def stem(word: str) -> str:
    """Return what `word` has in common with its other forms: “clicked” is “click”."""
    return word if word in _apart() else str(snowballstemmer.stemmer("english").stemWord(word))


@cache
def words() -> Words:
    file = _file()
    same = {tuple(key.split()): tuple(value.split()) for key, value in file.same.items()}

    def stems(text: str) -> Stems:
        return tuple(map(stem, (word for one in text.split() for word in same.get((one,), (one,)))))

    hints: dict[str, Stems] = {}
    for keys, value in file.hints.items():
        for word in keys.split():
            hints[word] = hints.get(word, ()) + stems(value)
    synonyms: dict[str, Stems] = {}
    for keys, value in file.synonyms.items():
        for key in stems(keys):
            synonyms[key] = synonyms.get(key, ()) + stems(value)
    texts = [file.filler, file.hand_over.words, *file.hand_over.phrases, *file.hand_over.unless]
    texts += [*file.same, *file.hints, *file.synonyms]
    return Words(
        filler=frozenset(file.filler.split()),
        on_screens=frozenset(file.on_screens.split()),
        elsewhere=frozenset(file.elsewhere.split()),
        verbs=frozenset(file.verbs.split()),
        around_answers=frozenset(file.around_answers.split()),
        same=same,
        hints=hints,
        synonyms=synonyms,
        hand_over=frozenset(stems(file.hand_over.words)),
        phrases=file.hand_over.phrases,
        unless=tuple(
            (frozenset(stems(keys)), frozenset(stems(value)))
            for keys, value in file.hand_over.unless.items()
        ),
        known=frozenset(word for text in texts for word in text.split()),
    )


@cache
def _file() -> _File:
    return _File.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))


@cache
def _apart() -> frozenset[str]:
    return frozenset(_file().apart.split())
