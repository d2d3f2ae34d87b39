"""Messages typed in the thread, checked against the corpus; small talk never finishes a step."""

import pytest
from hypothesis import given, strategies as st

from bot.guide.answers import Intent, Meaning, understand
from tests.builders import GUIDE
from tests.corpora.messages import PARTS, rates, read, typed

STEP = GUIDE.step(7)


@pytest.mark.parametrize(
    ("part", "right", "left_alone"),
    [
        ("tuning", 0.99, 0.99),
        ("held_out", 0.95, 0.92),
        ("second", 0.98, 0.98),
        ("third", 0.9, 0.95),
    ],
)
def test_accuracy_on_the_corpus_is_high_enough(part: str, right: float, left_alone: float) -> None:
    found = read(GUIDE, part)

    misses = [
        f"{result.typed.text}: {result.meaning}" for result in found if result.outcome != "right"
    ]
    assert rates(found, must=True)["right"] >= right, misses
    assert rates(found, must=False)["right"] >= left_alone, misses


@pytest.mark.parametrize("part", PARTS)
def test_only_clear_words_finish_a_step(part: str) -> None:
    wrong = [
        result.typed.text
        for result in read(GUIDE, part)
        if result.got.meaning is Meaning.DONE and result.typed.wanted != "done"
    ]

    assert not wrong


def test_the_corpus_is_large_enough() -> None:
    wanted = [message.wanted for message in typed("tuning")]

    assert sum(kind != "nothing" for kind in wanted) >= 300
    assert sum(kind == "nothing" for kind in wanted) >= 300


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Done, what's next?", Intent(Meaning.DONE)),
        ("Done. Where do I find the tag?", Intent(Meaning.DONE, "Where do I find the tag?")),
        ("step 7 is done", Intent(Meaning.DONE)),
        ("step 8 is done", Intent(Meaning.NEAR)),
        ("done <@U0ERIN>", Intent(Meaning.NEAR)),
        ("help\nthe page\nis blank", Intent(Meaning.QUESTION, "the page\nis blank")),
    ],
)
def test_a_message_is_parsed_into_its_meaning_and_any_question(text: str, intent: Intent) -> None:
    assert understand(GUIDE, text, STEP) == intent


@given(st.text(max_size=300))
def test_any_text_is_understood_without_an_error(text: str) -> None:
    assert understand(GUIDE, text, STEP).meaning in Meaning


@given(st.sampled_from(list(typed("tuning"))))
def test_a_message_addressed_to_a_person_is_not_acted_on(message: object) -> None:
    text = message.text  # type: ignore[attr-defined]
    meaning = understand(GUIDE, f"<@U02ANN> {text}", STEP).meaning

    assert meaning in (Meaning.NOTHING, Meaning.NEAR)
