"""The search index of a guide's passages. Pure; built once for each guide."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from bot.guide import Guide
from bot.guide.answers.passages import Passage, passages
from bot.guide.answers.vocabulary import stem, tokens, unified, words

# How much a word counts in a passage's title, in the text around it, and in what people ask.
TITLE, AROUND, ASKED_FOR = 0.8, 0.2, 0.5
# BM25: how soon repeating a word stops counting, and how much long passages are penalized.
SATURATION, LENGTH = 1.2, 0.25

NEGATIONS = frozenset({"not", "no"})
Pair = tuple[str, str]
T = TypeVar("T", bound=Hashable)


class Entry:
    """A passage, and the stems that find it."""

    def __init__(self, passage: Passage, asked: str) -> None:
        """Count the stems of `passage`, and of what people ask about it."""
        self.passage = passage
        self.words: set[str] = set()
        self.counts: dict[str, float] = {}
        self.pairs: set[Pair] = set()  # stems next to each other
        self.length = 0.0
        for text, weight in ((passage.text, 1.0), (passage.title, TITLE), (passage.around, AROUND)):
            for line in text.splitlines():
                stems = self._stems(line)
                self.length += weight * len(stems)
                self._count(stems, weight)
                if weight > AROUND:
                    self.pairs.update(pairwise(stems))
        phrases = [self._stems(phrase) for phrase in asked.replace("\n", " ").split(",")]
        self._count({found for phrase in phrases for found in phrase}, ASKED_FOR)
        for phrase in phrases:
            self.pairs.update(pairwise(phrase))
        # A one-word phrase would too often be the whole question.
        self.asked_for = frozenset(frozenset(one) for one in phrases if len(set(one)) > 1)
        self.title = frozenset(self._stems(passage.title))
        self.negative = not NEGATIONS.isdisjoint(self.counts)  # about what is missing or wrong
        self.worth: Mapping[str, float] = {}  # how much a stem of the question counts here
        self.nearby: set[str] = set()  # the stems of the step that the passage is a part of

    def compare(self, rarity: Mapping[str, float], average: float) -> None:
        """Set what its stems are worth among all passages, which have an `average` length."""
        norm = SATURATION * (1 - LENGTH + LENGTH * self.length / average)
        self.worth = {
            found: rarity[found] * count * (SATURATION + 1) / (count + norm)
            for found, count in self.counts.items()
        }

    def _count(self, stems: Iterable[str], weight: float) -> None:
        for found in stems:
            self.counts[found] = self.counts.get(found, 0.0) + weight

    def _stems(self, text: str) -> list[str]:
        found = tokens(text)
        self.words.update(found)
        return [stem(word) for word in unified(found) if word not in words().filler]


class Index:
    """The passages of one guide."""

    def __init__(self, guide: Guide) -> None:
        """Index every passage of `guide`, with what people ask about it if that is known."""
        self.entries = [
            Entry(passage, guide.asked.get(passage.id, "")) for passage in passages(guide)
        ]
        self.rarity = _rarity([entry.counts for entry in self.entries])
        self._pair_rarity = _rarity([entry.pairs for entry in self.entries])
        self.rarest = _rare(1, len(self.entries))
        average = sum(entry.length for entry in self.entries) / len(self.entries)
        in_steps: defaultdict[int, set[str]] = defaultdict(set)
        for entry in self.entries:
            entry.compare(self.rarity, average)
            if entry.passage.id.startswith("step:"):
                entry.nearby = in_steps[entry.passage.steps[0]]
                entry.nearby.update(entry.counts)
        self._known = words().known.union(*(entry.words for entry in self.entries))
        self._long = sorted(word for word in self._known if len(word) > 3)

    def rarity_of(self, stems: Iterable[str]) -> float:
        """Return how telling `stems` are together, regardless of their order."""
        return math.fsum(self.rarity[found] for found in stems)

    def pair_rarity_of(self, pairs: Iterable[Pair]) -> float:
        """Return how telling `pairs` are together, regardless of their order."""
        return math.fsum(self._pair_rarity[pair] for pair in pairs)

    def knows(self, word: str) -> bool:
        """True for a word of the guide or of words.toml, in any form."""
        return word in self._known or stem(word) in self.rarity

    def corrected(self, word: str) -> str:
        """Return the known word that an unknown one is probably meant to be, or `word`."""
        if len(word) < 4 or not word.isalpha() or self.knows(word):
            return word
        best, best_ratio = word, 0.82
        for known in self._long:
            if known[0] == word[0] and abs(len(known) - len(word)) < 3:
                matcher = SequenceMatcher(None, word, known)
                if matcher.quick_ratio() > best_ratio and matcher.ratio() > best_ratio:
                    best, best_ratio = known, matcher.ratio()
        return best


@lru_cache(maxsize=8)
def index(guide: Guide) -> Index:
    return Index(guide)


def _rarity(sets: Collection[Iterable[T]]) -> dict[T, float]:
    """Return how rare each thing in `sets` is: the rarer it is, the more it says about a set."""
    having = Counter(thing for one in sets for thing in set(one))
    return {thing: _rare(count, len(sets)) for thing, count in having.items()}


def _rare(having: int, all_: int) -> float:
    """BM25's inverse document frequency."""
    return math.log(1 + (all_ - having + 0.5) / (having + 0.5))
