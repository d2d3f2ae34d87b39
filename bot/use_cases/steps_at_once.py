"""`/servicetitan done 1-17`: steps that a client finished earlier, with the written guide."""

import re
from collections.abc import Iterator
from datetime import datetime

from bot.core.english import listed
from bot.core.errors import Refused
from bot.core.mrkdwn import escape
from bot.core.typed_text import folded
from bot.guide import Option
from bot.onboarding import BOT, Onboarding, StepState
from bot.onboarding.steps import finish_step
from bot.onboarding.transitions import labels
from bot.use_cases.lookup import client_of
from bot.use_cases.services import Services
from bot.views.reply_texts import refusal_text

# Words around an answer: `with an existing admin`, `as new`.
FILLERS = frozenset({"a", "an", "as", "for", "the", "they", "this", "used", "uses", "with"})
LONGEST_ANSWER = 5


async def client_and_answer(
    services: Services, channel: str, words: str
) -> tuple[Onboarding, str | None]:
    """Return the client that `words` name, and their answer to a question of the guide, if any.

    Either may come first: `existing acme`, `acme with an existing admin`. Raises as `client_of`.
    """
    try:
        here = await client_of(services, channel, "")
    except Refused:
        here = None
    if here and (answer := _answer(here, words)):  # rather than the client “New Horizons”
        return here, answer
    try:
        return await client_of(services, channel, words), None
    except Refused:
        for phrase, name in _splits(words):
            try:
                found = await client_of(services, channel, name)
            except Refused:
                continue
            if answer := _answer(found, phrase):
                return found, answer
        raise


def _splits(words: str) -> Iterator[tuple[str, str]]:
    """Yield a possible answer, and the rest: at the beginning, then at the end."""
    parts = words.split()
    for length in range(min(LONGEST_ANSWER, len(parts) - 1), 0, -1):
        yield " ".join(parts[:length]), " ".join(parts[length:])
        yield " ".join(parts[-length:]), " ".join(parts[:-length])


def _answer(onboarding: Onboarding, phrase: str) -> str | None:
    """Return the only option that matches a phrase, by its id or label."""
    typed = set(re.findall(r"\w+", folded(phrase))) - FILLERS
    options = (option for step in onboarding.guide.steps for option in step.options)
    found = [one.id for one in options if typed and _names(one, typed)]
    return found[0] if len(found) == 1 else None


def _names(option: Option, typed: set[str]) -> bool:
    own = {option.id, *folded(option.said).split()}
    return bool(typed & own) and typed <= {*own, *re.findall(r"\w+", folded(option.label))}


def must_have_answer(onboarding: Onboarding, numbers: range, answer: str | None) -> None:
    """Raise Refused if a question among the steps is open and has no answer."""
    for number in numbers:
        choice = None if onboarding.step(number).finished else onboarding.guide.step(number).choice
        if choice and answer is None:
            steps = f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else f"{number}"
            ways = (f"`done {steps} {one.id}` ({escape(one.label)})" for one in choice.options)
            raise Refused(
                f"Step {number} is a question, so I need the answer too: {listed(ways, 'or')}."
            )


def done_text(before: Onboarding, after: Onboarding, numbers: range, now: datetime) -> str:
    """Return what was marked done, where it stopped and why, and what still has to be entered."""
    done = [
        number
        for number in numbers
        if after.step(number).state is StepState.DONE and not before.step(number).finished
    ]
    marked = f"step {done[0]}" if len(done) == 1 else f"steps {done[0]}–{done[-1]}"
    said = [f"Marked {marked} done."]
    if stop := next((number for number in numbers if not after.step(number).finished), None):
        said.append(f"Step {stop} stays open: {_why(after, stop, now)}")
    elif missing := [name for name in after.missing if after.guide.field(name).step in numbers]:
        said.append(f"Not entered yet: {escape(labels(after, missing))}.")
    return " ".join(said)


def _why(onboarding: Onboarding, number: int, now: datetime) -> str:
    """Return why a step can't be finished now."""
    try:
        finish_step(onboarding, number, BOT, now)
    except Refused as refusal:
        return refusal_text(refusal).removeprefix("Almost! ")
    return ""
