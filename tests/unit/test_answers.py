"""Questions are answered from the guide if it has the answer, and only then."""

import pytest
from hypothesis import given, strategies as st

from bot.guide.answers import Passage, answer, passage
from bot.guide.answers.index import index
from bot.guide.answers.passages import passages
from bot.guide.answers.vocabulary import words
from tests.builders import GUIDE
from tests.corpora.measure import PARTS, Measure, measure, questions

EVERY_PASSAGE = passages(GUIDE)
IDS = {each.id for each in EVERY_PASSAGE}


def found(question: str, step: int | None = None) -> str | None:
    """The id of the passage that answers a question."""
    given = answer(GUIDE, question, step=step)
    return given.id if given else None


@pytest.fixture(scope="module", params=PARTS)
def measured(request: pytest.FixtureRequest) -> Measure:
    return measure(GUIDE, request.param)


# ----------------------------------------------------------------------------------- quality


def test_at_least_95_percent_of_answers_are_correct(measured: Measure) -> None:
    assert measured.precision >= 0.95


def test_at_least_80_percent_of_answerable_questions_are_answered(measured: Measure) -> None:
    assert measured.answer_rate >= 0.8


def test_at_least_95_percent_of_unanswerable_questions_are_handed_over(measured: Measure) -> None:
    assert measured.hand_over_rate >= 0.95


@pytest.mark.parametrize("part", PARTS)
def test_the_question_corpus_is_large_and_covers_the_whole_guide(part: str) -> None:
    asked = questions(part)
    rights = {right for question in asked for right in question.right}

    assert sum(bool(question.right) for question in asked) >= 80
    assert sum(not question.right for question in asked) >= 40
    for step in GUIDE.steps:
        assert any(f"{right}:".startswith(f"step:{step.number}:") for right in rights)
    assert rights >= {f"trouble:{number}" for number in range(1, 6)}
    assert rights >= {f"credential:{field.id}" for field in GUIDE.credentials}
    assert rights >= {"overview", "prerequisites", "support", "reference"}


def test_every_right_answer_is_in_the_guide() -> None:
    for part in PARTS:
        for question in questions(part):
            for right in question.right:
                assert any(f"{each}:".startswith(f"{right}:") for each in IDS), question


def test_tuning_and_held_out_questions_do_not_overlap() -> None:
    fitted, held_out = ({question.text.lower() for question in questions(part)} for part in PARTS)

    assert not fitted & held_out


# -------------------------------------------------------------------------------- passages


@pytest.mark.parametrize("each", EVERY_PASSAGE, ids=lambda each: each.id)
def test_a_passage_is_found_again_by_its_id(each: Passage) -> None:
    assert passage(GUIDE, each.id) == each


def test_no_two_passages_have_the_same_id() -> None:
    assert len(IDS) == len(EVERY_PASSAGE)


@pytest.mark.parametrize("unknown", ["", "step:26:body", "step:1", "trouble:0", "credential:pin"])
def test_an_unknown_passage_id_is_not_found(unknown: str) -> None:
    assert passage(GUIDE, unknown) is None


def test_all_text_of_a_step_is_in_its_passages() -> None:
    for step in GUIDE.steps:
        text_of_step = "\n".join(each.text for each in EVERY_PASSAGE if each.step == step.number)
        for text in (step.body, *step.items, *step.notes, *step.tips):
            assert text in text_of_step
        for table in step.tables:
            assert all(f"{name}: {value}" in text_of_step for name, value in table.rows)


def test_general_passages_belong_to_no_step() -> None:
    general = {each.id for each in EVERY_PASSAGE if each.step is None}

    assert general == {"overview", "prerequisites", "support", "reference"}


def test_a_troubleshooting_passage_lists_the_steps_it_applies_to() -> None:
    trouble = passage(GUIDE, "trouble:2")

    assert trouble
    assert trouble.steps == GUIDE.troubleshooting[1].steps
    assert trouble.step == trouble.steps[0]


# --------------------------------------------------------------------------------- answers


def test_an_answer_is_the_guides_own_text_with_its_step() -> None:
    given = answer(GUIDE, "it only showed the secret once and i closed it what now")

    assert given
    assert given.step == 19
    assert given.title == "Generate the Client Secret"
    assert given.text == GUIDE.step(19).notes[0]


@pytest.mark.parametrize("typo", ["secrt", "secert", "secreet"])
def test_a_typo_does_not_change_the_answer(typo: str) -> None:
    assert found(f"i lost the client {typo}") == found("i lost the client secret") is not None


def test_the_askers_current_step_breaks_ties_between_steps() -> None:
    asked = "which button do i click in the my apps section"

    assert found(asked, step=5) == "step:5:body"
    assert found(asked, step=17) == "step:17:body"
    assert found(asked) is None


def test_a_step_named_in_the_question_overrides_the_current_step() -> None:
    asked = "which button do i click in the my apps section in step 17?"

    assert found(asked, step=5) == "step:17:body"


def test_slack_markup_in_a_question_is_read_as_displayed() -> None:
    plain = found("where is the developer portal?")

    assert plain == "step:3:tip:1"
    assert found("<@U123> :wave: where is the <https://x.example|developer portal>?") == plain
    assert found("Where’s the *developer* portal?") == plain


@pytest.mark.parametrize(
    "asked", ["how do i press + new app &amp; register it", "step 5?", "?", ""]
)
def test_a_terse_question_gets_a_passage_of_its_step_or_no_answer(asked: str) -> None:
    assert found(asked) in {None, "step:5:body", "step:5:tip:1"}


@pytest.mark.parametrize(
    ("asks_us", "asks_the_guide"),
    [
        ("can you generate the client secret", "can you tell me how to generate the client secret"),
        ("please add the booking provider tag", "how do i add the booking provider tag"),
        ("how much is the api application access", "where is the api application access"),
        ("how do i add technicians", "do technicians need read and write"),
    ],
)
def test_requests_that_only_heavyset_can_handle_are_handed_over(
    asks_us: str, asks_the_guide: str
) -> None:
    assert found(asks_us) is None
    assert found(asks_the_guide) is not None


@given(st.text(max_size=300), st.none() | st.integers())
def test_any_text_gets_an_existing_passage_or_no_answer(text: str, step: int | None) -> None:
    assert found(text, step) in {None, *IDS}


@given(st.lists(st.sampled_from(sorted(words().known)), max_size=40))
def test_the_answer_does_not_depend_on_letter_case(typed: list[str]) -> None:
    text = " ".join(typed)

    assert found(text) == found(text.upper())


# -------------------------------------------------------------------------------- word lists


def test_sample_questions_refer_to_existing_passages() -> None:
    assert GUIDE.asked.keys() <= IDS


def test_words_that_trigger_a_handover_do_not_occur_in_the_guide() -> None:
    assert not words().beyond & index(GUIDE).rarity.keys()
