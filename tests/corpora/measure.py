"""Measures how well questions are answered from the guide: `make answers`."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bot.guide import Guide, load
from bot.guide.answers import answer
from tests.corpora import messages
from tests.corpora.messages import rates, read

QUESTIONS = Path(__file__).with_name("questions.toml")
PARTS = ("tuning", "held_out")


@dataclass(frozen=True)
class Question:
    """A question, the passages that answer it (none: hand it over), and the step it is asked at."""

    text: str
    right: tuple[str, ...] = ()
    at: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a question; `given` is the id of a passage, or None if it was handed over."""

    question: Question
    given: str | None

    @property
    def is_right(self) -> bool:
        """True if the question got one of its answers, or none if it must have none."""
        if self.given is None:
            return not self.question.right
        return any(f"{self.given}:".startswith(f"{right}:") for right in self.question.right)


@dataclass(frozen=True)
class Measure:
    """The outcomes of one part of the corpus."""

    outcomes: tuple[Outcome, ...]

    @property
    def precision(self) -> float:
        """How many of the given answers are right."""
        return _share(outcome.is_right for outcome in self.outcomes if outcome.given)

    @property
    def answer_rate(self) -> float:
        """How many of the questions that have an answer got it."""
        return _share(outcome.is_right for outcome in self.outcomes if outcome.question.right)

    @property
    def hand_over_rate(self) -> float:
        """How many of the questions that have no answer were handed over."""
        return _share(outcome.is_right for outcome in self.outcomes if not outcome.question.right)


def questions(part: str) -> tuple[Question, ...]:
    """Return the questions of a part: `tuning` or `held_out`."""
    corpus: dict[str, Any] = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))[part]
    answered = (
        Question(each["q"], tuple(each["right"]), each.get("at")) for each in corpus["answered"]
    )
    return (*answered, *map(Question, corpus["handed_over"]))


def measure(guide: Guide, part: str) -> Measure:
    """Ask every question of a part."""
    outcomes = []
    for question in questions(part):
        given = answer(guide, question.text, step=question.at)
        outcomes.append(Outcome(question, given.id if given else None))
    return Measure(tuple(outcomes))


def main() -> None:
    """Print the figures of both parts, and every miss."""
    guide = load()
    measures = {part: measure(guide, part) for part in PARTS}
    for part, found in measures.items():
        click.echo(f"\n{part}: what went wrong")
        for outcome in found.outcomes:
            if not outcome.is_right:
                wanted = " or ".join(outcome.question.right) or "the engineer"
                got = outcome.given or "the engineer"
                click.echo(f"  {outcome.question.text}\n    got {got}, not {wanted}")
    click.echo(f"\n{'':10}{'answerable':>12}{'to hand over':>14}", nl=False)
    click.echo(f"{'precision':>12}{'answered':>10}{'handed over':>13}")
    for part, found in measures.items():
        answerable = sum(bool(outcome.question.right) for outcome in found.outcomes)
        click.echo(f"{part:10}{answerable:>12}{len(found.outcomes) - answerable:>14}", nl=False)
        click.echo(f"{found.precision:>12.3f}{found.answer_rate:>10.3f}", nl=False)
        click.echo(f"{found.hand_over_rate:>13.3f}")
    click.echo("\nWhat people type in the thread")
    _say_rates(guide)


def _say_rates(guide: Guide) -> None:
    for part in messages.PARTS:
        found = read(guide, part)
        for result in found:
            if result.outcome != "right":
                click.echo(
                    f"  {result.typed.text}\n    got {result.meaning}, not {result.typed.wanted}"
                )
        for must, name in ((True, "must do something"), (False, "must not")):
            count = sum((result.typed.wanted != "nothing") is must for result in found)
            shares = rates(found, must=must)
            figures = "  ".join(f"{outcome} {share:.3f}" for outcome, share in shares.items())
            click.echo(f"{part:10}{name:>18}{count:>6}  {figures}")


def _share(verdicts: Iterable[bool]) -> float:
    counted = list(verdicts)
    return sum(counted) / len(counted) if counted else 1.0


if __name__ == "__main__":
    main()
