"""Marking several steps as done at once, for clients who began with the written guide."""

from datetime import datetime

from bot.core.errors import Refused
from bot.guide import Owner, Step
from bot.onboarding.events import Event, EventKind
from bot.onboarding.model import Status
from bot.onboarding.people import Actor
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, end_step, must_be_active


def may_be_done(onboarding: Onboarding) -> tuple[Step, ...]:
    """Return the client's open steps, from the current one, that may have been done already.

    Leaves out those that ask for a credential that isn't entered yet, and the last one, which waits
    for the check. Empty while a question has to be answered.
    """
    return tuple(step for step in _ahead(onboarding) if not _asks(onboarding, step))


def still_asked(onboarding: Onboarding) -> tuple[Step, ...]:
    """Return the open steps ahead that still have to be done: they ask for a credential."""
    return tuple(step for step in _ahead(onboarding) if _asks(onboarding, step))


def _ahead(onboarding: Onboarding) -> tuple[Step, ...]:
    current, guide = onboarding.current, onboarding.guide
    if onboarding.status is not Status.ACTIVE or current is None or current.choice:
        return ()
    return tuple(
        step
        for step in guide.steps
        if current.number <= step.number < guide.last_credential_step
        and onboarding.owner_of(step.number) is Owner.CLIENT
        and not onboarding.step(step.number).finished
    )


def _asks(onboarding: Onboarding, step: Step) -> bool:
    return any(name in onboarding.missing for name in step.credentials)


def catch_up(onboarding: Onboarding, last: int, actor: Actor, now: datetime) -> Change:
    """Mark the client's open steps up to `last` as done.

    Those that ask for a credential that isn't entered yet stay open, in their order.
    """
    must_be_active(onboarding, actor)
    done = [step.number for step in may_be_done(onboarding) if step.number <= last]
    if not done:
        following = onboarding.current_step or last
        raise Refused(f"There's nothing to mark as done. Please go on with step {following}.")
    change = Change(onboarding)
    for number in done:
        event = Event(EventKind.STEP_DONE, actor, now, number)
        change = change.then(end_step, number, actor, now, event)
    return change
