"""Every sentence of the written guide appears in some message or modal."""

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
from tests.unit.rendering import a_form_ref, credentials_modal_at, texts, thread_of

LINES = Path(__file__).with_name("guide_sentences.txt").read_text(encoding="utf-8").splitlines()
SENTENCES = [line for line in LINES if line and not line.startswith("#")]
# Bold, quotation marks, bullets, and separators between a number and its title.
PUNCTUATION = re.compile(r"[*“”\"'’‘•—:·()]")


def normalized(text: str) -> str:
    """Just the words, without markup or punctuation."""
    return " ".join(PUNCTUATION.sub(" ", html.unescape(text)).split())


def shown_texts() -> Iterator[str]:
    """Yield every text that is shown over the course of an onboarding."""
    for step in GUIDE.steps:
        onboarding = an_onboarding(at_step=step.number)
        for message in thread_of(onboarding).values():
            yield from texts(message.blocks)
        yield from texts(help_modal(onboarding, a_form_ref(onboarding, step.number)))
        if step.credentials:
            yield from texts(credentials_modal_at(onboarding, step.number))
    failed = an_onboarding(at_step=23, report=a_report(Outcome.FAILED, ("tenant_id",)))
    for ending in (failed, a_completed_onboarding()):
        for message in thread_of(ending).values():
            yield from texts(message.blocks)
    window = reveal_modal(failed, a_form_ref(failed, 23, ALL_FIELDS), "reveal-1")
    yield from texts(window)


@cache
def all_shown_text() -> frozenset[str]:
    return frozenset(normalized(text) for text in shown_texts())


def test_every_sentence_of_the_written_guide_is_shown_somewhere() -> None:
    assert [sentence for sentence in SENTENCES if not is_shown_somewhere(sentence)] == []


def is_shown_somewhere(sentence: str) -> bool:
    cells = [rf"(?<!\w){re.escape(normalized(cell))}(?!\w)" for cell in sentence.split(" | ")]
    wanted = re.compile(".*?".join(cells))
    return any(wanted.search(text) for text in all_shown_text())


def test_the_sentence_list_covers_every_step_of_the_guide() -> None:
    titles = [line for line in SENTENCES if re.match(r"Step \d+: ", line)]

    assert titles == [f"Step {step.number}: {step.title}" for step in GUIDE.steps]
    assert len(SENTENCES) > 150


def test_a_sentence_not_in_the_guide_is_not_found() -> None:
    assert not any("Ask your accountant first" in text for text in all_shown_text())
