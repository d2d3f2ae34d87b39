"""What all transitions have in common: when they may happen, and what they make."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from bot.core.errors import Refused
from bot.core.mrkdwn import listed, mention, when
from bot.guide import Owner
from bot.onboarding.model import Event, EventKind, Status, StepProgress, StepState
from bot.onboarding.people import Actor
from bot.onboarding.state import Standing

State = TypeVar("State", bound=Standing)


@dataclass(frozen=True)
class Changed(Generic[State]):
    """What a transition makes: the next state, and what the history gets."""

    onboarding: State
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Transitions(Standing):
    """The base of the transitions."""

    def _must_be_active(self) -> None:
        if self.status is Status.PAUSED:
            raise Refused("This onboarding is paused. A HeavySet engineer takes it up again soon.")
        self._must_be_running()

    def _must_be_running(self) -> None:
        if self.status not in (Status.ACTIVE, Status.PAUSED):
            raise Refused(
                f"This onboarding is {self.status}: nothing is left to do here. "
                "Is something wrong? Please tell your HeavySet engineer."
            )

    def _must_be_current(self, number: int) -> None:
        progress = self.step(number)
        if progress.finished and progress.by and progress.at:
            word = "already done" if progress.state is StepState.DONE else "not needed: skipped"
            who = mention(progress.by.user_id)
            raise Refused(f"Step {number} is {word}, by {who}, {when(progress.at)}.")
        self._must_be_active()
        if progress.state is StepState.WAITING and self.current:
            raise Refused(
                f"Step {number} comes later. Step {self.current.number} is the current one: "
                f"{self.current.title}."
            )

    def _finish(
        self,
        number: int,
        actor: Actor,
        now: datetime,
        events: list[Event],
        *,
        state: StepState = StepState.DONE,
        skip: Collection[int] = (),
    ) -> Changed[Self]:
        """End step `number`, skip others with it, and go on to the next."""
        before = self.guide.phase_of(number).owner
        ends = {number: state} | dict.fromkeys(skip, StepState.SKIPPED)
        steps = [
            replace(one, state=ends[one.number], by=actor, at=now) if one.number in ends else one
            for one in self.steps
        ]
        if not any(one.state is StepState.CURRENT for one in steps):
            for position, one in enumerate(steps):
                if one.state is StepState.WAITING:
                    steps[position] = replace(one, state=StepState.CURRENT)
                    break
        after = replace(self, steps=tuple(steps))
        if after.phase and (before, after.phase.owner) == (Owner.CLIENT, Owner.HEAVYSET):
            handed = Event(EventKind.HANDED_OVER, actor, now, after.phase.steps[0].number)
            events = [*events, handed]
        if after.current is None:
            completed = Event(EventKind.COMPLETED, actor, now)
            return self._changed(
                now,
                [*events, completed],
                steps=after.steps,
                status=Status.COMPLETED,
                finished_at=now,
            )
        return self._changed(now, events, steps=after.steps)

    def _back_to(self, number: int) -> tuple[StepProgress, ...]:
        """Return the steps with `number` current again; what an engineer skipped stays skipped."""
        return tuple(
            replace(one, state=StepState.CURRENT, by=None, at=None)
            if one.number == number
            else self._again(one)
            if one.number > number
            else one
            for one in self.steps
        )

    def _again(self, one: StepProgress) -> StepProgress:
        if one.state is StepState.SKIPPED and not self._needless(one.number):
            return one
        return replace(one, state=StepState.WAITING, by=None, at=None)

    def _needless(self, number: int) -> int | None:
        """Return the step whose answer made step `number` needless, if one did."""
        for step in self.guide.steps:
            for option in step.choice.options if step.choice else ():
                if option.id == self.account and number in option.skips:
                    return step.number
        return None

    def _named(self, fields: Collection[str]) -> str:
        return listed(
            f"{self.guide.field(name).label} (step {self.guide.field(name).step})"
            for name in fields
        )

    def _changed(self, active_at: datetime, events: list[Event], **fields: Any) -> Changed[Self]:
        """Return the change; whoever's turn it becomes has it from the last event on."""
        after = replace(self, active_at=active_at, **fields)
        if after.turn is not self.turn:
            after = replace(after, turn_at=events[-1].at)
        return Changed(after, tuple(events))
