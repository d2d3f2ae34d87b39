"""Which onboardings are exceeding the guide's target for their current phase."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.onboarding import Change, Onboarding, Status, assignment, lifecycle
from bot.onboarding.steps import choose_option, finish_step, undo_step
from bot.onboarding.targets import phase_began, risk_of
from tests.builders import GUIDE, NOW, a_client_admin, a_new_onboarding, an_engineer
from tests.unit.test_home import an_overview

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A Monday, 09:00 in New York, where phase 2 begins; its target is two business days.
MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
ZONE = "America/New_York"


@pytest.mark.parametrize(
    ("later", "over"),
    [
        (11 * HOUR + DAY - 8 * HOUR, None),  # less than three quarters
        (DAY + 4 * HOUR, False),
        (DAY + 8 * HOUR, True),
        (7 * DAY, True),
    ],
)
def test_a_phase_is_at_risk_after_three_quarters_of_its_target(
    later: timedelta, over: bool | None
) -> None:
    line = replace(an_overview(current_step=4), phase_at=MONDAY)

    risk = risk_of(line, MONDAY + later, ZONE)

    assert (risk.is_over if risk else None) is over
    assert risk is None or risk.due == MONDAY + DAY + 8 * HOUR


def test_only_active_onboardings_in_a_phase_with_a_target_are_at_risk() -> None:
    late = replace(an_overview(current_step=4), phase_at=MONDAY)
    data = GUIDE.model_dump(exclude={"phases": {"__all__": {"target_days"}}})
    guide = type(GUIDE).model_validate(data)

    for line in (
        replace(late, status=Status.PAUSED),
        replace(late, phase_at=None),
        replace(late, guide=guide),
    ):
        assert risk_of(line, MONDAY + 30 * DAY, ZONE) is None


def test_a_phase_starts_when_the_last_one_ends_and_again_after_a_pause() -> None:
    ann, erin = a_client_admin(), an_engineer()
    at = a_new_onboarding().onboarding

    def on(change: Change) -> Onboarding:
        return change.onboarding

    assert phase_began(at) == NOW
    at = on(choose_option(at, 1, "new", ann, NOW + HOUR))
    at = on(finish_step(at, 2, ann, NOW + 2 * HOUR))
    at = on(finish_step(at, 3, ann, NOW + 3 * HOUR))
    at = on(assignment.assign(at, "U0LEE", erin, NOW + 4 * HOUR))
    assert phase_began(at) == NOW + 2 * HOUR
    at = on(lifecycle.resume(on(lifecycle.pause(at, erin, NOW + DAY)), erin, NOW + 2 * DAY))
    assert phase_began(at) == NOW + 2 * DAY
    assert phase_began(on(undo_step(at, 1, ann, NOW + 3 * DAY))) == NOW + 3 * DAY
