"""When a thread is idle, so that edits that aren't urgent can be made."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.onboarding import Onboarding, Status, StepState
from bot.publishing.leisure import LONGEST, rests_at
from tests.builders import NOW, a_new_onboarding

SECOND = timedelta(seconds=1)


@pytest.fixture
def edit_delays() -> None:
    """Override the fixture in conftest.py: defer edits as in production."""


def after(**seconds: float) -> Onboarding:
    """An onboarding in which steps 1 and 2 were finished that many seconds ago."""
    begun = a_new_onboarding().onboarding
    steps = list(begun.steps)
    for index, name in enumerate(("first", "second")):
        at = NOW - seconds[name] * SECOND
        steps[index] = replace(steps[index], state=StepState.DONE, at=at)
    steps[2] = replace(steps[2], state=StepState.CURRENT)
    return replace(begun, steps=tuple(steps), active_at=NOW)


@pytest.mark.parametrize(
    ("took", "rests_in"),
    [
        (0, timedelta()),  # a range of steps, marked done together
        (20, 40 * SECOND),
        (90, LONGEST),
        (130, timedelta()),  # too slow to predict when the next step is done
    ],
)
def test_a_thread_is_idle_after_twice_the_time_its_last_step_took(
    took: float, rests_in: timedelta
) -> None:
    assert rests_at(after(first=took, second=0)) == NOW + rests_in


def test_edits_are_not_deferred_when_an_onboarding_is_ended_or_paused() -> None:
    for status in (Status.PAUSED, Status.CANCELLED, Status.COMPLETED):
        assert rests_at(replace(after(first=20, second=0), status=status)) == NOW
