"""Among people, only what is a question to nobody in particular is answered."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.guide.answers import is_question
from tests import corpora
from tests.builders import GUIDE

MESSAGES = tomllib.loads(
    (Path(next(iter(corpora.__path__))) / "thread_messages.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("message", MESSAGES["questions"])
def test_a_question_is_heard(message: str) -> None:
    assert is_question(GUIDE, message)


@pytest.mark.parametrize("message", MESSAGES["talk"])
def test_people_who_just_talk_are_left_alone(message: str) -> None:
    assert not is_question(GUIDE, message)


@given(st.text(max_size=300))
def test_any_text_may_be_written(text: str) -> None:
    assert is_question(GUIDE, text) in {True, False}


@given(st.sampled_from(MESSAGES["questions"]))
def test_a_question_that_mentions_a_person_is_left_to_them(question: str) -> None:
    assert not is_question(GUIDE, f"<@U02ANN> {question}")
    assert not is_question(GUIDE, f"Ann, {question}")
