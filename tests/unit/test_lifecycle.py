"""Handing over steps, and resuming an onboarding when its channel is back."""

import pytest

from bot.core.errors import Refused
from bot.onboarding import EventKind, Loss, Status
from bot.onboarding.lifecycle import lose_channel, pause, regain_channel
from bot.onboarding.steps import hand_over_steps
from tests.builders import NOW, a_client_admin, an_engineer, an_onboarding, kinds

ANN, ERIN = a_client_admin(), an_engineer()


def test_handing_over_the_rest_of_a_phase_starts_at_the_current_step() -> None:
    onboarding = an_onboarding(at_step=4)

    change = hand_over_steps(onboarding, 4, ANN, NOW, rest_of_phase=True)

    phase = onboarding.guide.phase_of(4)
    expected = [step.number for step in phase.steps if step.number >= 4]
    handed = [step.number for step in change.onboarding.steps if step.handed_over]
    assert handed == expected
    assert len(expected) > 1


def test_a_single_step_can_be_handed_over_only_once() -> None:
    change = hand_over_steps(an_onboarding(at_step=4), 4, ANN, NOW)

    assert [step.number for step in change.onboarding.steps if step.handed_over] == [4]
    with pytest.raises(Refused, match="We already have step 4"):
        hand_over_steps(change.onboarding, 4, ANN, NOW)


def test_regaining_the_channel_resumes_an_onboarding_paused_for_its_loss() -> None:
    lost = lose_channel(an_onboarding(at_step=4), Loss.ARCHIVED, NOW).onboarding
    assert (lost.status, lost.loss) == (Status.PAUSED, Loss.ARCHIVED)

    change = regain_channel(lost, [Loss.ARCHIVED, Loss.BOT_REMOVED], NOW)

    assert (change.onboarding.status, change.onboarding.loss) == (Status.ACTIVE, None)
    assert kinds(change) == [EventKind.RESUMED]


def test_regaining_the_channel_resumes_no_other_onboarding() -> None:
    lost = lose_channel(an_onboarding(at_step=4), Loss.ARCHIVED, NOW).onboarding
    by_hand = pause(an_onboarding(at_step=4), ERIN, NOW).onboarding

    for onboarding in (lost, by_hand, an_onboarding(at_step=4)):
        with pytest.raises(Refused, match="not paused for that reason"):
            regain_channel(onboarding, [Loss.BOT_REMOVED], NOW)
