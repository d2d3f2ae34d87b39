"""Reduces what people write to the words that count: cleaned, unified, and stemmed. Pure."""

import html
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from bot.core.typed_text import ESCAPE

FILE = Path(__file__).with_name("words.toml")
LONGEST = 1000  # characters of a message that are read

# Slack's markup (docs.slack.dev, "Formatting message text"), and emoji as Slack sends them.
_HIDDEN = re.compile(r"<[@#!][^>]*>|:[a-z][a-z0-9_+-]*:", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[^.][.!?])\s+|\n+")

Stems = tuple[str, ...]


def _split(table: Mapping[str, str]) -> Mapping[Stems, Stems]:
    return {tuple(key.split()): tuple(value.split()) for key, value in table.items()}


# A list of words is one string in the file.
WordSet = Annotated[frozenset[str], BeforeValidator(str.split)]


class _HandOver(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    words: str
    phrases: tuple[str, ...]
    unless: dict[str, str]


class Words(BaseModel):
    """The words of words.toml. Keys of tables are lists of words, too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    filler: WordSet
    apart: WordSet
    on_screens: WordSet
    elsewhere: WordSet
    verbs: WordSet
    around_answers: WordSet
    same: Annotated[Mapping[Stems, Stems], BeforeValidator(_split)]
    hints: dict[str, str]
    synonyms: dict[str, str]
    hand_over: _HandOver

    @cached_property
    def hinted_by(self) -> Mapping[str, Stems]:
        return self._stems_by(self.hints, str.split)

    @cached_property
    def others_for(self) -> Mapping[str, Stems]:
        """The synonyms of a stem."""
        return self._stems_by(self.synonyms, self._stems)

    @cached_property
    def beyond(self) -> frozenset[str]:
        """Stems of what only a person can know or do."""
        return frozenset(self._stems(self.hand_over.words))

    @cached_property
    def beyond_unless(self) -> Sequence[tuple[frozenset[str], frozenset[str]]]:
        unless = self.hand_over.unless.items()
        return [(frozenset(self._stems(one)), frozenset(self._stems(two))) for one, two in unless]

    @cached_property
    def known(self) -> frozenset[str]:
        """Every word of the file, as it is there."""
        texts = [self.hand_over.words, *self.hand_over.phrases, *self.hand_over.unless]
        texts += [*self.hints, *self.synonyms]
        return self.filler.union(*map(str.split, texts), *self.same)

    def _stems_by(
        self, table: Mapping[str, str], split: Callable[[str], Sequence[str]]
    ) -> Mapping[str, Stems]:
        found: dict[str, Stems] = {}
        for keys, value in table.items():
            for key in split(keys):
                found[key] = found.get(key, ()) + self._stems(value)
        return found

    def _stems(self, text: str) -> Stems:
        parts = (self.same.get((word,), (word,)) for word in text.split())
        return tuple(stem(word) for part in parts for word in part)


def sentences(message: str) -> list[str]:
    """Cut what somebody wrote in Slack into sentences, without markup."""
    text = ESCAPE.sub(lambda link: link[2] or link[1], _HIDDEN.sub(" ", message[:LONGEST]))
    return [part for part in _SENTENCES.split(html.unescape(text)) if part.strip()]


def spoken(text: str) -> str:
    """Return `text` in lower case and without apostrophes: “Don’t” is “dont”, “I’d” “i would”."""
    return re.sub(r"['’`]", "", re.sub(r"\bi['’`]d\b", "i would", text.lower()))


def tokens(text: str) -> list[str]:
    """Return the words of `text` as `spoken` returns them."""
    return re.findall(r"[a-z0-9]+", spoken(text))


def unified(found: Sequence[str]) -> list[str]:
    """Return tokens with a single name for things that have several: “sign in” is “login”."""
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
    return word if word in words().apart else str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Any:
    from snowballstemmer import stemmer  # type: ignore[import-untyped]  # all languages: 4 MB

    return stemmer("english")


@cache
def words() -> Words:
    return Words.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
