"""What all transitions share: what they return, when they are refused, how a step ends.

A transition is a pure function: it takes an onboarding, what happened, who did it and when, and
returns a `Change`. If it cannot happen now it raises `Refused`, with a text for the person. Who may
do what is decided earlier, by `permissions`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Concatenate, ParamSpec

from bot.core.english import listed
from bot.core.errors import Refused
from bot.guide import Option, Owner, Step
from bot.onboarding.effects import apply
from bot.onboarding.events import Event, EventKind
from bot.onboarding.model import Status, StepProgress, StepState
from bot.onboarding.people import BOT, Actor, Role
from bot.onboarding.state import Onboarding

P = ParamSpec("P")

# What engineering may decide about a stall; neither means that the onboarding is active again.
DECISIONS = {EventKind.PAUSED, EventKind.CANCELLED}


@dataclass(frozen=True, slots=True)
class Change:
    """The result of a transition: the next state, and the events to record."""

    onboarding: Onboarding
    events: tuple[Event, ...] = ()

    def then(
        self,
        transition: Callable[Concatenate[Onboarding, P], "Change"],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> "Change":
        """Return this change and, right after it, that of `transition`."""
        after = transition(self.onboarding, *args, **kwargs)
        return Change(after.onboarding, self.events + after.events)


def changed(
    onboarding: Onboarding, *events: Event, active_at: datetime | None = None, **fields: Any
) -> Change:
    """Return the change with the effects of `events`, and the other `fields` that change.

    It counts as activity, unless `active_at` says when the latest was. A new turn begins with the
    last event.
    """
    active_at = active_at or events[-1].at
    asked = onboarding.current_offer and onboarding.active_at != active_at
    if asked and not any(event.kind in DECISIONS for event in events):
        again = replace(events[0], kind=EventKind.ACTIVE_AGAIN, detail={}, quiet=False)
        events = (again, *events)
    after = apply(replace(onboarding, active_at=active_at, **fields), *events)
    if after.turn is not onboarding.turn:
        after = replace(after, turn_at=events[-1].at)
    return Change(after, events)


def noted(onboarding: Onboarding, *events: Event, **fields: Any) -> Change:
    """Return the change as `changed` does, but without counting as activity."""
    return changed(onboarding, *events, active_at=onboarding.active_at, **fields)


def must_be_active(onboarding: Onboarding, actor: Actor = BOT) -> None:
    """Raise Refused if an onboarding is paused or over, in words for `actor`."""
    if onboarding.status is Status.ACTIVE:
        return
    if onboarding.status is Status.PAUSED and actor.role is Role.ENGINEER:
        raise Refused("It's paused. Run `/servicetitan resume` first.")
    if onboarding.status is Status.PAUSED:
        raise Refused("This setup is on hold. A HeavySet engineer will pick it back up.")
    must_be_running(onboarding)


def must_be_running(onboarding: Onboarding) -> None:
    if onboarding.status in (Status.COMPLETED, Status.CANCELLED):
        how = "complete" if onboarding.status is Status.COMPLETED else "canceled"
        raise Refused(
            f"This setup is {how}, so there's nothing left to do here. "
            "Something wrong? Let your HeavySet engineer know."
        )


def must_be_unfinished(onboarding: Onboarding, number: int) -> None:
    """Raise Refused if somebody finished or skipped step `number` before."""
    progress = onboarding.step(number)
    if not progress.finished or not progress.by or not progress.at:
        return
    verb = "finished" if progress.state is StepState.DONE else "skipped"
    text = f"{{by}} already {verb} step {number}, {{at}}."
    if not progress.by.user_id:
        text = f"Step {number} was already {verb}, {{at}}."
    raise Refused(text, by=progress.by, at=progress.at)


def must_be_current(onboarding: Onboarding, number: int, actor: Actor) -> Step:
    """Return step `number`, the current one of an active onboarding; else raise Refused."""
    current = onboarding.current
    if current and current.number == number and onboarding.status is Status.ACTIVE:
        return current
    must_be_unfinished(onboarding, number)
    must_be_active(onboarding, actor)
    if current and current.number != number:
        raise Refused(f"Not yet! Step {current.number} ({current.title}) comes first.")
    return onboarding.guide.step(number)


def end_step(
    onboarding: Onboarding,
    number: int,
    actor: Actor,
    now: datetime,
    *events: Event,
    state: StepState = StepState.DONE,
    skip: Collection[int] = (),
) -> Change:
    """End step `number`, skip others with it, and make the next one current."""
    side = onboarding.guide.phase_of(number).owner
    ends = {number: state} | dict.fromkeys(skip, StepState.SKIPPED)
    steps = [
        replace(step, state=ends[step.number], by=actor, at=now) if step.number in ends else step
        for step in onboarding.steps
    ]
    if not any(step.state is StepState.CURRENT for step in steps):
        for position, step in enumerate(steps):
            if step.state is StepState.WAITING:
                steps[position] = replace(step, state=StepState.CURRENT)
                break
    after = replace(onboarding, steps=tuple(steps))
    if after.phase and (side, after.phase.owner) == (Owner.CLIENT, Owner.HEAVYSET):
        first = after.phase.steps[0].number
        events = (*events, Event(EventKind.HANDED_OVER, actor, now, first))
    if after.current:
        return changed(onboarding, *events, steps=after.steps)
    completed = Event(EventKind.COMPLETED, actor, now)
    return changed(
        onboarding, *events, completed, steps=after.steps, status=Status.COMPLETED, finished_at=now
    )


def back_to(onboarding: Onboarding, number: int) -> tuple[StepProgress, ...]:
    """Return the steps with `number` open again; what an engineer skipped stays skipped.

    It is current again, unless it was skipped before its turn: then it waits for the current one.
    """
    if onboarding.current and onboarding.current.number < number:
        waiting = replace(onboarding.step(number), state=StepState.WAITING, by=None, at=None)
        return tuple(waiting if step.number == number else step for step in onboarding.steps)

    def reopened(step: StepProgress) -> StepProgress:
        skipped = step.state is StepState.SKIPPED and not skipped_by(onboarding, step.number)
        if step.number < number or (step.number > number and skipped):
            return step
        state = StepState.CURRENT if step.number == number else StepState.WAITING
        return replace(step, state=state, by=None, at=None)

    return tuple(map(reopened, onboarding.steps))


def skipped_by(onboarding: Onboarding, number: int) -> tuple[Step, Option] | None:
    """Return the step and its answer that made step `number` unnecessary, if one did."""
    for step in onboarding.guide.steps:
        option = step.option(onboarding.account)
        if option and number in option.skips:
            return step, option
    return None


def labels(onboarding: Onboarding, names: Collection[str]) -> str:
    """Return the labels and steps of some credentials, in words."""
    fields = map(onboarding.guide.field, names)
    return listed(f"{field.label} (step {field.step})" for field in fields)
