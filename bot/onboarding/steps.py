"""Doing the steps: done, undone, skipped, and handed from one side to the other."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from bot.core.errors import Refused
from bot.core.mrkdwn import listed, mention, when
from bot.guide import Owner
from bot.onboarding.model import Event, EventKind, StepState
from bot.onboarding.people import Actor, Role
from bot.onboarding.transitions import Changed, Transitions


@dataclass(frozen=True, slots=True)
class Stepping(Transitions):
    """What can happen to the steps."""

    def choose(self, number: int, option_id: str, actor: Actor, now: datetime) -> Changed[Self]:
        """Answer the question of step `number`, which finishes it and what it makes needless."""
        self._must_be_current(number)
        choice = self.guide.step(number).choice
        option = (
            next((one for one in choice.options if one.id == option_id), None) if choice else None
        )
        if option is None:
            raise Refused("This answer is not offered any more. Please use the newest message.")
        chosen = Event(EventKind.ACCOUNT_CHOSEN, actor, now, number, {"choice": option.id})
        skipped = [Event(EventKind.STEP_SKIPPED, actor, now, skip) for skip in option.skips]
        done = Event(EventKind.STEP_DONE, actor, now, number)
        after = replace(self, account=option.id)
        return after._finish(number, actor, now, [chosen, done, *skipped], skip=option.skips)

    def finish_step(self, number: int, actor: Actor, now: datetime) -> Changed[Self]:
        """Mark the current step as done and go on to the next."""
        self._must_be_current(number)
        step = self.guide.step(number)
        if step.choice:
            answers = listed(f"“{option.label}”" for option in step.choice.options)
            raise Refused(f"Please answer the question of step {number} instead: {answers}.")
        if step.verifies:
            raise Refused(
                f"Step {number} is finished by the verification itself: press “Verify now”. "
                "When every check has passed, the onboarding is complete."
            )
        if number >= self.guide.last_credential_step and self.missing:
            raise Refused(
                f"Step {number} needs all {len(self.guide.credentials)} values first. "
                f"Still missing: {self._named(self.missing)}. "
                "Press “Enter securely” on this step to add what is missing."
            )
        exposed = [name for name in self.exposed if self.guide.field(name).secret_pattern]
        if number >= self.guide.last_credential_step and exposed:
            raise Refused(
                f"Others may know the value of {self._named(exposed)}, as it was posted in the "
                "channel. Make a new one there, and enter it with “Enter securely”."
            )
        return self._finish(number, actor, now, [Event(EventKind.STEP_DONE, actor, now, number)])

    def undo_step(self, number: int, actor: Actor, now: datetime) -> Changed[Self]:
        """Make a finished step current again; the later ones wait for it. No value is lost."""
        self._must_be_active()
        progress = self.step(number)
        if progress.state is StepState.CURRENT:
            raise Refused(f"Step {number} is open already.")
        if progress.state is StepState.WAITING:
            raise Refused(f"Step {number} is not done yet, so there is nothing to undo.")
        if because := self._needless(number):
            raise Refused(f"Step {number} was not needed. To change that, undo step {because}.")
        if progress.state is StepState.SKIPPED and actor.role not in (Role.ENGINEER, Role.BOT):
            raise Refused(f"Step {number} was skipped by HeavySet Tech, who may open it again.")
        undone = Event(EventKind.STEP_UNDONE, actor, now, number)
        if self.current and number > self.current.number:  # skipped before its turn came
            waiting = [
                replace(one, state=StepState.WAITING, by=None, at=None)
                if one.number == number
                else one
                for one in self.steps
            ]
            return self._changed(now, [undone], steps=tuple(waiting))
        account = None if self.guide.step(number).choice else self.account
        return self._changed(now, [undone], steps=self._back_to(number), account=account)

    def skip(self, number: int, actor: Actor, now: datetime) -> Changed[Self]:
        """Go on without step `number`, now or when its turn comes."""
        progress = self.step(number)
        if progress.finished and progress.by and progress.at:
            word = "done" if progress.state is StepState.DONE else "skipped"
            who = mention(progress.by.user_id) if progress.by.user_id else "me"
            raise Refused(f"Step {number} is {word} already, by {who}, {when(progress.at)}.")
        self._must_be_active()
        if self.guide.step(number).verifies:
            raise Refused(
                f"Step {number} is the verification: it cannot be skipped, as nobody would know "
                "whether the values work."
            )
        if self.guide.step(number).choice:
            raise Refused(f"Step {number} is a question: answer it with one of its buttons.")
        skipped = Event(EventKind.STEP_SKIPPED, actor, now, number)
        return self._finish(number, actor, now, [skipped], state=StepState.SKIPPED)

    def hand_over(
        self, number: int, actor: Actor, now: datetime, *, rest_of_phase: bool = False
    ) -> Changed[Self]:
        """Have HeavySet do step `number`, or all that is left of its phase."""
        self._must_be_current(number)
        phase = self.guide.phase_of(number)
        if phase.owner is Owner.HEAVYSET:
            raise Refused(f"Step {number} is HeavySet Tech's already.")
        wanted = {
            step.number
            for step in phase.steps
            if step.number == number or (rest_of_phase and step.number > number)
        }
        wanted = {one for one in wanted if not self.step(one).handed_over}
        if not wanted:
            raise Refused(f"Step {number} is with HeavySet Tech already.")
        return self._handed(wanted, EventKind.STEPS_HANDED_OVER, actor, now)

    def give_back(self, number: int, actor: Actor, now: datetime) -> Changed[Self]:
        """Return step `number`, and what was handed over of its phase after it, to the client."""
        self._must_be_current(number)
        phase = self.guide.phase_of(number)
        back = {
            step.number
            for step in phase.steps
            if step.number >= number and self.step(step.number).handed_over
        }
        if not back:
            raise Refused(f"Step {number} is not with HeavySet Tech: nothing can be returned.")
        return self._handed(back, EventKind.STEPS_GIVEN_BACK, actor, now)

    def _handed(
        self, numbers: set[int], kind: EventKind, actor: Actor, now: datetime
    ) -> Changed[Self]:
        handed = kind is EventKind.STEPS_HANDED_OVER
        steps = tuple(
            replace(one, handed_over=handed) if one.number in numbers else one for one in self.steps
        )
        event = Event(kind, actor, now, min(numbers), {"steps": sorted(numbers)})
        return self._changed(now, [event], steps=steps)
