"""When a thread is at rest, so that the edits nobody waits for can be made."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.onboarding import Onboarding, Status, StepState
from bot.publishing.leisure import LONGEST, rests_at
from tests.builders import NOW, a_new_onboarding

SECOND = timedelta(seconds=1)


@pytest.fixture
def nothing_is_put_off() -> None:
    """Put off what is put off in earnest."""


def after(**seconds: float) -> Onboarding:
    """An onboarding in which steps 1 and 2 were done so long before now."""
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
        (0, timedelta()),  # a range of steps, marked done at once
        (20, 40 * SECOND),
        (90, LONGEST),
        (130, timedelta()),  # nobody knows when the next step is done
    ],
)
def test_a_thread_rests_after_twice_the_time_of_the_last_step(
    took: float, rests_in: timedelta
) -> None:
    assert rests_at(after(first=took, second=0)) == NOW + rests_in


def test_nothing_is_put_off_when_a_setup_is_over_or_on_hold() -> None:
    for status in (Status.PAUSED, Status.CANCELLED, Status.COMPLETED):
        assert rests_at(replace(after(first=20, second=0), status=status)) == NOW
