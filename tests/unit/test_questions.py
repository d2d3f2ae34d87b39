"""In a conversation among people, only questions to no one in particular are answered."""

import pytest
from hypothesis import given, strategies as st

from bot.guide.answers.questions import is_question
from tests.builders import GUIDE
from tests.corpora.messages import typed

QUESTIONS = [one.text for one in typed("tuning") if one.wanted == "question"]


@pytest.mark.parametrize(
    "message",
    [
        "We have two tenants, which one?",
        "Our accountant is worried about invoices, do you touch those?",
        "Weird, the button is gone?",
        "I'm on vacation next week, can we finish it after that?",
        "I only have office staff access, is that enough?",
    ],
)
def test_a_statement_that_ends_in_a_question_mark_is_a_question(message: str) -> None:
    assert is_question(GUIDE, message)


@given(st.text(max_size=300))
def test_any_text_is_classified_without_an_error(text: str) -> None:
    assert is_question(GUIDE, text) in {True, False}


@given(st.sampled_from(QUESTIONS))
def test_a_question_addressed_to_a_person_is_not_answered(question: str) -> None:
    assert not is_question(GUIDE, f"<@U02ANN> {question}")
    assert not is_question(GUIDE, f"Ann, {question}")
