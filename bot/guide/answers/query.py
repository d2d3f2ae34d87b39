"""A question prepared for the search: what each of its words may be in the guide. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from bot.guide.answers.index import NEGATIONS, Index, Pair
from bot.guide.answers.out_of_scope import is_beyond
from bot.guide.answers.questions import asks
from bot.guide.answers.vocabulary import sentences, stem, tokens, unified, words

SYNONYM = 0.8  # how much a synonym counts
ASIDE = 0.3  # how much the text around the question counts
HINT = 0.5  # how much a hint counts
UNKNOWN, COMMON = 0.8, 0.1  # a word's greatest and least weight, relative to the guide's rarest

_STEP = re.compile(r"\bstep (\d{1,3})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """A word of the question: the stems that may stand for it, and how much each counts.

    `weight` is its share of the question; a hint doesn't have to be explained.
    """

    stems: Mapping[str, float]
    weight: float = 0.0


@dataclass(frozen=True)
class Reading:
    """A question prepared for the search."""

    terms: tuple[Term, ...]
    hints: tuple[Term, ...]
    pairs: frozenset[Pair]
    negative: bool  # something is missing or wrong
    beyond: bool  # the guide cannot know it
    step: int | None  # the step that it names

    @property
    def weight(self) -> float:
        return sum(term.weight for term in self.terms)


def read(question: str, index: Index) -> Reading:
    """Read `question` with the words that `index` knows."""
    named = _STEP.search(question)
    parts = sentences(_STEP.sub(" ", question))
    asking = [asks(part) for part in parts]
    terms: dict[tuple[str, ...], Term] = {}
    hints: list[Term] = []
    pairs: set[Pair] = set()
    beyond = False
    for part, is_asking in zip(parts, asking, strict=True):
        found = [index.corrected(token) for token in tokens(part)]
        beyond = beyond or is_beyond(found)
        scale = 1.0 if is_asking or not any(asking) else ASIDE
        sequence = []
        for word in unified(found):
            own, hinted = stem(word), words().hinted_by.get(word, ())
            if hinted:
                known = (found for found in hinted if found in index.rarity)
                hints.append(Term(dict.fromkeys(known, HINT * scale)))
            if own in words().others_for or not (hinted or word in words().filler):
                term = _term(own, index, scale)
                terms.setdefault(tuple(term.stems) or (own,), term)
            elif not hinted:
                continue
            sequence.append(own)
        pairs.update(pairwise(sequence))
    return Reading(
        tuple(terms.values()),
        tuple(hints),
        frozenset(pairs),
        any(not NEGATIONS.isdisjoint(hint.stems) for hint in hints),
        beyond,
        int(named[1]) if named else None,
    )


def _term(own: str, index: Index, scale: float) -> Term:
    others = words().others_for.get(own, ())
    stems = {found: SYNONYM for found in others if found in index.rarity}
    if own in index.rarity:
        stems[own] = 1.0
    unknown, common = UNKNOWN * index.rarest, COMMON * index.rarest
    telling = max((index.rarity[found] * worth for found, worth in stems.items()), default=unknown)
    return Term(
        {found: worth * scale for found, worth in stems.items()},
        scale * max(common, min(telling, unknown)),
    )
