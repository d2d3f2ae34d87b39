"""Which onboardings take longer than their guide's target for the current phase. Pure."""

from dataclasses import dataclass
from datetime import datetime

from bot.guide import Phase
from bot.onboarding.business_time import BUSINESS_DAY, calendar_of
from bot.onboarding.events import EventKind
from bot.onboarding.model import Status
from bot.onboarding.overview import Overview
from bot.onboarding.state import Onboarding

# A phase is at risk once this share of its time has passed.
WARNED_AT = 0.75
RESTARTS = (EventKind.RESUMED, EventKind.STEP_UNDONE)


@dataclass(frozen=True, slots=True)
class Risk:
    """A phase that was `due` before now, or that soon will be."""

    phase: Phase
    due: datetime
    is_over: bool


def phase_began(onboarding: Onboarding) -> datetime | None:
    """Return when the current phase began, or began again after a pause or an undo."""
    phase = onboarding.phase
    if phase is None:
        return None
    first = phase.steps[0].number
    before = (step.at for step in onboarding.steps if step.at and step.number < first)
    again = (jump.at for jump in onboarding.jumps if jump.kind in RESTARTS)
    return max([onboarding.started_at, *before, *again])


def risk_of(line: Overview, now: datetime, timezone: str) -> Risk | None:
    """Return the target that is missed, or will be soon; None if the onboarding is on track.

    Targets are business days of the client's country; `timezone` applies if theirs isn't known.
    """
    if line.status is not Status.ACTIVE or line.current_step is None or line.phase_at is None:
        return None
    phase = line.guide.phase_of(line.current_step)
    if phase.target_days is None:
        return None
    calendar, target = calendar_of(line.timezone, timezone), phase.target_days * BUSINESS_DAY
    if calendar.elapsed(line.phase_at, now) < WARNED_AT * target:
        return None
    due = calendar.after(line.phase_at, target)
    return Risk(phase, due, is_over=due <= now)
