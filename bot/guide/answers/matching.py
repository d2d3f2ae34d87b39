"""Finds the passage of the guide that answers a question, if one does. Pure and deterministic.

Passages are ranked by BM25 over stems, pairs of stems, and likeness to what people ask of them. The
best one is an answer only if it explains enough of the question: a wrong answer is worse than none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.guide import Guide
from bot.guide.answers.index import NEGATIONS, Entry, Index, index
from bot.guide.answers.passages import Passage
from bot.guide.answers.query import Reading, Term, read

# Weights and thresholds are fitted to the “tuning” part of tests/corpora/questions.toml.
PAIR = 0.8  # how much two words count that are adjacent in the guide and in the question
LIKE_ASKED, LIKE_TITLE = 1.5, 0.5  # how much similarity adds
NEARBY = 0.5  # how well a word elsewhere in the same step explains it
HERE = 1.25  # the step that the asker is at
FIGURE = 0.7  # pictures rarely answer a question
OPPOSITE, UNTROUBLED = 0.5, 0.7  # if only the question is about trouble, and not the passage

ENOUGH_EXPLAINED = 0.6  # of the question
ENOUGH_FOUND = 1.85  # in the guide's rarest words
MARGIN = 0.15  # how far behind the best passage of other steps must be
THE_SAME = 0.95  # so similar to a title or a known question that few words need to match


@dataclass(frozen=True, slots=True)
class Match:
    """A passage for a question: how good it is among the others, and how well it fits."""

    passage: Passage
    score: float
    explained: float  # how much of the question
    likeness: float  # to the passage's title, or to what people ask of it


def answer(guide: Guide, question: str, *, step: int | None = None) -> Passage | None:
    """Return the passage of `guide` that answers `question`; None if a person should.

    `step` is the step that the asker is at: its passages are slightly preferred.
    """
    found = index(guide)
    reading = read(question, found)
    if reading.beyond or not reading.terms:
        return None
    ranked = sorted(matches(found, reading, step), key=lambda match: match.score, reverse=True)
    return _best(ranked, ENOUGH_FOUND * found.rarest)


def _best(ranked: Sequence[Match], enough: float) -> Passage | None:
    """Return the passage that may be shown: it explains the question, and stands out."""
    best = ranked[0]
    if best.explained < ENOUGH_EXPLAINED:
        return None
    here = set(best.passage.steps)
    allies = [match for match in ranked if match is best or here & set(match.passage.steps)]
    rival = max((match.score for match in ranked if match not in allies), default=0.0)
    if best.score >= enough and rival <= best.score * (1 - MARGIN):
        return best.passage
    return next((match.passage for match in allies if match.likeness >= THE_SAME), None)


def matches(found: Index, reading: Reading, step: int | None = None) -> Iterable[Match]:
    """Yield the match of every passage with what was asked."""
    here = reading.step if reading.step is not None else step
    for entry in found.entries:
        explained = _explained(entry, reading)
        as_asked = max((_like(line, reading, found) for line in entry.asked_for), default=0.0)
        as_title = _likeness(entry.title, reading, found)
        worth = sum(_worth(entry, term) for term in (*reading.terms, *reading.hints))
        worth += PAIR * found.pair_rarity_of(reading.pairs & entry.pairs)
        score = worth * explained * (1 + LIKE_ASKED * as_asked + LIKE_TITLE * as_title)
        if entry.passage.id.endswith(":figure"):
            score *= FIGURE
        if reading.negative and not entry.negative:
            score *= UNTROUBLED
        if here is not None and here in entry.passage.steps:
            score *= HERE
        yield Match(entry.passage, score, explained, max(as_asked, as_title))


def _worth(entry: Entry, term: Term) -> float:
    return max((fit * entry.worth.get(found, 0) for found, fit in term.stems.items()), default=0)


def _explained(entry: Entry, reading: Reading) -> float:
    """Return how much of the question the passage has words for."""
    total = 0.0
    for term in reading.terms:
        if not entry.worth.keys().isdisjoint(term.stems):
            total += term.weight
        elif not entry.nearby.isdisjoint(term.stems):
            total += term.weight * NEARBY
    return total / reading.weight if reading.weight else 0.0


def _like(line: frozenset[str], reading: Reading, found: Index) -> float:
    like = _likeness(line, reading, found)
    return like if reading.negative != NEGATIONS.isdisjoint(line) else like * OPPOSITE


def _likeness(line: frozenset[str], reading: Reading, found: Index) -> float:
    """Return how much of the question is in `line`, and of `line` in the question: 0 to 1."""
    hit = {stem for term in reading.terms for stem in term.stems if stem in line}
    if not hit:
        return 0.0
    asked = sum(term.weight for term in reading.terms if not hit.isdisjoint(term.stems))
    of_question = asked / reading.weight
    of_line = found.rarity_of(hit) / found.rarity_of(line)
    return 2 * of_question * of_line / (of_question + of_line)
