"""Undoing steps, asking for help, and refusing changes after completion."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.core.errors import Refused
from bot.onboarding import Change, EventKind, Onboarding
from bot.onboarding.credentials import enter_credentials
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.questions import ask_for_help
from bot.onboarding.retention import expire_credentials
from bot.onboarding.steps import choose_option, finish_step, skip_step, undo_step
from tests.builders import (
    ALL_FIELDS,
    GUIDE,
    MINUTE,
    NOW,
    OTHER_ADMIN,
    a_client_admin,
    a_completed_onboarding,
    an_engineer,
    an_onboarding,
    kinds,
    states,
)

ANN, BEN, ERIN = a_client_admin(), a_client_admin(OTHER_ADMIN), an_engineer()
LATER = NOW + 60 * MINUTE
Transition = Callable[[Onboarding], Change]


def test_undo_makes_the_step_current_and_the_next_one_wait() -> None:
    change = undo_step(an_onboarding(at_step=4), 3, BEN, LATER)

    assert states(change.onboarding) == "ddc" + "w" * 22
    assert kinds(change) == [EventKind.STEP_UNDONE]
    assert (change.onboarding.step(3).by, change.onboarding.step(3).at) == (None, None)


def test_undo_goes_back_several_steps_at_once() -> None:
    after = undo_step(an_onboarding(at_step=16), 9, ANN, LATER).onboarding

    assert states(after) == "d" * 8 + "c" + "w" * 16


def with_credentials_at_step_1(*skipped: int) -> Onboarding:
    """An engineer entered them all, and skipped some steps whose turn hasn't come."""
    onboarding = an_onboarding(at_step=1, credentials=ALL_FIELDS)
    for number in skipped:
        onboarding = skip_step(onboarding, number, ERIN, NOW).onboarding
    return onboarding


@pytest.mark.parametrize(
    "reopens",
    [
        lambda at: record_posted_secret(at, ["client_secret"], ANN, LATER),
        lambda at: undo_step(at, 19, ERIN, LATER),
    ],
    ids=["its secret was posted", "reopened"],
)
def test_a_step_skipped_before_its_turn_opens_without_becoming_current(
    reopens: Transition,
) -> None:
    after = reopens(with_credentials_at_step_1(19, 20)).onboarding

    assert states(after) == "c" + "w" * 18 + "s" + "w" * 5


def test_deleted_credentials_open_a_step_skipped_before_its_turn() -> None:
    change = expire_credentials(
        with_credentials_at_step_1(22), LATER, keep=timedelta(0), objection=timedelta(0)
    )
    change = expire_credentials(
        change.onboarding, LATER + MINUTE, keep=timedelta(0), objection=timedelta(0)
    )

    assert change.onboarding.credentials == {}
    assert states(change.onboarding) == "c" + "w" * 24


def test_undo_keeps_the_values() -> None:
    onboarding = an_onboarding(at_step=21)

    assert undo_step(onboarding, 9, ANN, LATER).onboarding.credentials == onboarding.credentials


def test_undoing_step_1_asks_its_question_again() -> None:
    after = undo_step(an_onboarding(at_step=5, account="existing"), 1, ANN, LATER).onboarding

    assert states(after) == "c" + "w" * 24
    assert after.account is None
    assert choose_option(after, 1, "new", ANN, LATER).onboarding.current == GUIDE.step(2)


def test_undoing_another_step_keeps_the_answer_and_the_skipped_steps() -> None:
    after = undo_step(an_onboarding(at_step=5, account="existing"), 3, ANN, LATER).onboarding

    assert states(after).startswith("dscw")
    assert after.account == "existing"


def test_after_an_undo_the_later_steps_are_repeated() -> None:
    after = undo_step(an_onboarding(at_step=6), 3, ANN, LATER).onboarding

    assert finish_step(after, 3, ANN, LATER).onboarding.current == GUIDE.step(4)


def test_an_undone_handover_happens_again_when_the_step_is_finished() -> None:
    after = undo_step(an_onboarding(at_step=23), 22, ANN, LATER).onboarding

    assert EventKind.HANDED_OVER in kinds(finish_step(after, 22, ANN, LATER))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (5, "Step 5 is already open"),
        (6, "Step 6 isn't done yet"),
        (2, "Step 2 was skipped because of step 1. To change that, undo step 1"),
    ],
)
def test_only_a_step_that_is_done_can_be_undone(step: int, words: str) -> None:
    with pytest.raises(Refused, match=words):
        undo_step(an_onboarding(at_step=5, account="existing"), step, ANN, LATER)


# --- help ---


def test_a_question_is_recorded_at_its_step() -> None:
    change = ask_for_help(an_onboarding(at_step=7), 7, "Which button?", ANN, LATER)

    (event,) = change.events
    assert (event.kind, event.step, event.actor) == (EventKind.HELP_ASKED, 7, ANN)
    assert event.detail == {"question": "Which button?"}
    assert change.onboarding.steps == an_onboarding(at_step=7).steps


# --- after completion ---


@pytest.mark.parametrize("action", ["done", "undo", "enter"])
def test_a_completed_onboarding_refuses_changes(action: str) -> None:
    onboarding = a_completed_onboarding()

    with pytest.raises(Refused, match=r"already finished|is complete"):
        {
            "done": lambda: finish_step(onboarding, 25, ERIN, LATER),
            "undo": lambda: undo_step(onboarding, 24, ERIN, LATER),
            "enter": lambda: enter_credentials(onboarding, 22, {"tenant_id": "••••"}, ANN, LATER),
        }[action]()


def test_help_can_be_requested_after_completion() -> None:
    change = ask_for_help(a_completed_onboarding(), 25, "Is it live?", ANN, LATER)

    assert kinds(change) == [EventKind.HELP_ASKED]
