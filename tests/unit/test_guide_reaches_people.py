"""Every sentence of the written guide stands in some message or modal."""

import html
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bot.onboarding.verification_report import Outcome
from bot.views.modals import help_modal, reveal_modal
from tests.builders import (
    ALL_FIELDS,
    GUIDE,
    a_completed_onboarding,
    a_report,
    an_onboarding,
)
from tests.unit.rendering import a_form_ref, texts, the_credentials_modal, thread_of

LINES = Path(__file__).with_name("guide_sentences.txt").read_text(encoding="utf-8").splitlines()
SENTENCES = [line for line in LINES if line and not line.startswith("#")]
# Bold, quotation marks, bullets, and what separates a number from its title.
PUNCTUATION = re.compile(r"[*“”\"'’‘•—:·()]")


def normal(text: str) -> str:
    """The words alone, as they are read."""
    return " ".join(PUNCTUATION.sub(" ", html.unescape(text)).split())


def reaching() -> Iterator[str]:
    """Yield every text that somebody sees in the course of an onboarding."""
    for step in GUIDE.steps:
        onboarding = an_onboarding(at_step=step.number)
        for message in thread_of(onboarding).values():
            yield from texts(message.blocks)
        yield from texts(help_modal(onboarding, a_form_ref(onboarding, step.number)).to_dict())
        if step.credentials:
            yield from texts(the_credentials_modal(onboarding, step.number).to_dict())
    failed = an_onboarding(at_step=23, report=a_report(Outcome.FAILED, ("tenant_id",)))
    for ending in (failed, a_completed_onboarding()):
        for message in thread_of(ending).values():
            yield from texts(message.blocks)
    window = reveal_modal(failed, a_form_ref(failed, 23, ALL_FIELDS), "reveal-1")
    yield from texts(window.to_dict())


@cache
def seen() -> frozenset[str]:
    return frozenset(normal(text) for text in reaching())


def test_each_sentence_of_the_guide_reaches_somebody() -> None:
    assert [sentence for sentence in SENTENCES if not reaches_somebody(sentence)] == []


def reaches_somebody(sentence: str) -> bool:
    cells = [rf"(?<!\w){re.escape(normal(cell))}(?!\w)" for cell in sentence.split(" | ")]
    wanted = re.compile(".*?".join(cells))
    return any(wanted.search(text) for text in seen())


def test_the_list_of_sentences_holds_the_whole_guide() -> None:
    titles = [line for line in SENTENCES if re.match(r"Step \d+: ", line)]

    assert titles == [f"Step {step.number}: {step.title}" for step in GUIDE.steps]
    assert len(SENTENCES) > 150


def test_a_sentence_that_is_nowhere_is_not_found() -> None:
    assert not any("Ask your accountant first" in text for text in seen())
