"""The state machine of one onboarding (pure): what happened turns a state into the next.

Every transition takes who did it and when, and returns a `Change`: the new state and the events
to record. It raises `Refused`, with words for the person, when it cannot happen now. Who may do
what is decided before, in `people`.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from bot.guide import Guide
from bot.onboarding.lifecycle import Managing
from bot.onboarding.model import Event, EventKind, StepProgress, StepState
from bot.onboarding.people import Actor
from bot.onboarding.steps import Stepping
from bot.onboarding.transitions import Changed


@dataclass(frozen=True, slots=True)
class Onboarding(Stepping, Managing):
    """One client's way through one guide: where it stands, and all that can happen to it."""


Change = Changed[Onboarding]


def start(
    onboarding_id: str,
    guide: Guide,
    *,
    client_name: str,
    channel: str,
    engineer: str,
    client_admins: Collection[str],
    actor: Actor,
    now: datetime,
    timezone: str | None = None,
    client_team: str | None = None,
) -> Change:
    """Begin an onboarding at the first step of `guide`."""
    first, *rest = (StepProgress(step.number) for step in guide.steps)
    onboarding = Onboarding(
        id=onboarding_id,
        guide=guide,
        client_name=client_name,
        channel=channel,
        engineer=engineer,
        client_admins=tuple(client_admins),
        started_at=now,
        active_at=now,
        turn_at=now,
        steps=(replace(first, state=StepState.CURRENT), *rest),
        timezone=timezone,
        client_team=client_team,
    )
    return Changed(onboarding, (Event(EventKind.STARTED, actor, now),))
