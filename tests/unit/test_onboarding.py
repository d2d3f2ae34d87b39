"""Moving forward through the steps: starting, answering the question in step 1, and Done."""

import pytest

from bot.core.errors import NotFound, Refused
from bot.onboarding import (
    EventKind,
    Onboarding,
    Status,
    StepState,
)
from bot.onboarding.steps import choose_option, finish_step
from bot.views.reply_texts import refusal_text
from tests.builders import (
    ALL_FIELDS,
    CHANNEL,
    CLIENT_ADMIN,
    ENGINEER,
    GUIDE,
    MINUTE,
    NOW,
    OTHER_ADMIN,
    a_client_admin,
    a_new_onboarding,
    an_engineer,
    an_onboarding,
    kinds,
    states,
)

ANN, BEN, ERIN = a_client_admin(), a_client_admin(OTHER_ADMIN), an_engineer()
LATER = NOW + 60 * MINUTE


def refusal(onboarding: Onboarding, step: int) -> str:
    """The text with which *Done* is refused."""
    with pytest.raises(Refused) as refused:
        finish_step(onboarding, step, BEN, LATER)
    return refusal_text(refused.value)


# --- start ---


def test_an_onboarding_begins_at_step_1() -> None:
    onboarding = a_new_onboarding().onboarding

    assert states(onboarding) == "c" + "w" * 24
    assert onboarding.current == GUIDE.step(1)


def test_the_start_is_recorded_with_who_did_it() -> None:
    (event,) = a_new_onboarding().events

    assert (event.kind, event.actor, event.at) == (EventKind.STARTED, ERIN, NOW)


def test_an_onboarding_keeps_what_it_was_started_with() -> None:
    onboarding = a_new_onboarding(client_name="Smith & Sons").onboarding

    assert (onboarding.client_name, onboarding.channel) == ("Smith & Sons", CHANNEL)
    assert (onboarding.engineer, onboarding.client_admins) == (ENGINEER, (CLIENT_ADMIN,))
    assert (onboarding.status, onboarding.guide) == (Status.ACTIVE, GUIDE)


# --- the question of step 1 ---


def test_a_new_account_leads_to_step_2() -> None:
    change = choose_option(an_onboarding(), 1, "new", ANN, LATER)

    assert states(change.onboarding).startswith("dcw")
    assert change.onboarding.account == "new"
    assert kinds(change) == [EventKind.ACCOUNT_CHOSEN, EventKind.STEP_DONE]


def test_an_existing_admin_skips_step_2() -> None:
    change = choose_option(an_onboarding(), 1, "existing", ANN, LATER)

    assert states(change.onboarding).startswith("dscw")
    assert change.onboarding.account == "existing"
    assert kinds(change) == [
        EventKind.ACCOUNT_CHOSEN,
        EventKind.STEP_DONE,
        EventKind.STEP_SKIPPED,
    ]
    assert change.events[-1].step == 2


def test_the_answer_is_recorded() -> None:
    event = choose_option(an_onboarding(), 1, "existing", ANN, LATER).events[0]

    assert (event.step, event.detail) == (1, {"choice": "existing"})


def test_an_answer_that_is_not_offered_is_refused() -> None:
    with pytest.raises(Refused, match="That option is gone"):
        choose_option(an_onboarding(), 1, "both", ANN, LATER)


def test_an_answer_to_a_step_without_a_question_is_refused() -> None:
    with pytest.raises(Refused, match="That option is gone"):
        choose_option(an_onboarding(at_step=2), 2, "new", ANN, LATER)


def test_done_is_refused_at_a_question() -> None:
    assert refusal(an_onboarding(), 1) == (
        "Step 1 is a question. Please choose “Create a new account” or “Use an existing admin”."
    )


def test_a_second_answer_is_refused_and_names_who_gave_the_first() -> None:
    with pytest.raises(Refused) as refused:
        choose_option(an_onboarding(at_step=2), 1, "existing", BEN, LATER)

    assert refusal_text(refused.value).startswith(f"<@{CLIENT_ADMIN}> already finished step 1")


# --- done ---


def test_done_finishes_the_step_and_makes_the_next_current() -> None:
    change = finish_step(an_onboarding(at_step=3), 3, BEN, LATER)
    third = change.onboarding.step(3)

    assert states(change.onboarding) == "dddc" + "w" * 21
    assert (third.state, third.by, third.at) == (StepState.DONE, BEN, LATER)


def test_done_is_recorded_with_who_and_when() -> None:
    (event,) = finish_step(an_onboarding(at_step=3), 3, BEN, LATER).events

    assert (event.kind, event.step, event.actor, event.at) == (EventKind.STEP_DONE, 3, BEN, LATER)


def test_done_updates_the_time_of_last_activity() -> None:
    assert finish_step(an_onboarding(at_step=3), 3, BEN, LATER).onboarding.active_at == LATER


def test_an_engineer_can_finish_a_client_step() -> None:
    change = finish_step(an_onboarding(at_step=3), 3, ERIN, LATER)

    assert change.onboarding.step(3).by == ERIN


def test_a_finished_step_cannot_be_finished_again() -> None:
    text = refusal(an_onboarding(at_step=4), 3)

    assert text.startswith(f"<@{CLIENT_ADMIN}> already finished step 3, <!date^")


def test_a_skipped_step_cannot_be_finished() -> None:
    assert refusal(an_onboarding(at_step=3, account="existing"), 2).startswith(
        f"<@{CLIENT_ADMIN}> already skipped step 2, "
    )


def test_finishing_a_later_step_is_refused_and_names_the_current_one() -> None:
    assert refusal(an_onboarding(at_step=4), 9) == (
        "Not yet! Step 4 (Navigate to the My Apps Section) comes first."
    )


@pytest.mark.parametrize("number", [0, 26, -1])
def test_finishing_an_unknown_step_raises_not_found(number: int) -> None:
    with pytest.raises(NotFound, match=f"There's no step {number}; the guide has 25"):
        finish_step(an_onboarding(), number, ANN, LATER)


@pytest.mark.parametrize("step", [11, 18, 19, 20, 21])
def test_steps_before_22_can_be_finished_without_their_values(step: int) -> None:
    after = finish_step(an_onboarding(at_step=step, credentials=()), step, ANN, LATER).onboarding

    assert after.current == GUIDE.step(step + 1)


def test_step_22_cannot_be_finished_until_all_values_are_entered() -> None:
    onboarding = an_onboarding(at_step=22, credentials=("tenant_id", "client_id"))

    assert refusal(onboarding, 22) == (
        "Almost! We still need Booking Provider ID (step 11), Client Secret (step 19), and "
        "Application Key (step 22). Press *Enter securely* on this step to add them."
    )


def test_step_22_can_be_finished_once_all_values_are_entered() -> None:
    onboarding = an_onboarding(at_step=22, credentials=ALL_FIELDS, report=None)

    assert finish_step(onboarding, 22, ANN, LATER).onboarding.current == GUIDE.step(23)


def test_the_clients_last_step_hands_over() -> None:
    onboarding = an_onboarding(at_step=22, credentials=ALL_FIELDS)

    change = finish_step(onboarding, 22, ANN, LATER)

    assert kinds(change) == [EventKind.STEP_DONE, EventKind.HANDED_OVER]
    assert change.events[-1].step == 23


@pytest.mark.parametrize("step", [2, 8, 11, 16, 23, 24])
def test_no_other_step_hands_over(step: int) -> None:
    change = finish_step(an_onboarding(at_step=step), step, ERIN, LATER)

    assert EventKind.HANDED_OVER not in kinds(change)


def test_step_25_can_only_be_finished_by_verification() -> None:
    assert refusal(an_onboarding(at_step=25), 25).startswith(
        "Step 25 finishes on its own once every check passes. Press *Verify now*."
    )
