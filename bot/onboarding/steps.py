"""Transitions of steps: done, undone, skipped, and handed from one side to the other."""

from dataclasses import replace
from datetime import datetime

from bot.core.english import listed
from bot.core.errors import Refused
from bot.guide import Owner
from bot.onboarding.model import Event, EventKind, StepState
from bot.onboarding.people import Actor, Role
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import (
    Change,
    back_to,
    changed,
    end_step,
    labels,
    must_be_active,
    must_be_current,
    skipped_by,
)


def choose_option(
    onboarding: Onboarding, number: int, option_id: str, actor: Actor, now: datetime
) -> Change:
    """Answer the question of step `number`; that ends it, and skips what is now unnecessary."""
    must_be_current(onboarding, number)
    choice = onboarding.guide.step(number).choice
    options = choice.options if choice else ()
    option = next((option for option in options if option.id == option_id), None)
    if option is None:
        raise Refused("This answer is not offered any more. Please use the newest message.")
    chosen = Event(EventKind.ACCOUNT_CHOSEN, actor, now, number, {"choice": option.id})
    skipped = [Event(EventKind.STEP_SKIPPED, actor, now, skip) for skip in option.skips]
    events = [chosen, Event(EventKind.STEP_DONE, actor, now, number), *skipped]
    after = replace(onboarding, account=option.id)
    return end_step(after, number, actor, now, events, skip=option.skips)


def finish_step(onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
    """Mark the current step as done, and go on to the next."""
    must_be_current(onboarding, number)
    _must_be_ready(onboarding, number)
    done = Event(EventKind.STEP_DONE, actor, now, number)
    return end_step(onboarding, number, actor, now, [done])


def _must_be_ready(onboarding: Onboarding, number: int) -> None:
    guide = onboarding.guide
    step = guide.step(number)
    if step.choice:
        answers = listed(f"“{option.label}”" for option in step.choice.options)
        raise Refused(f"Please answer the question of step {number} instead: {answers}.")
    if step.verifies:
        raise Refused(
            f"Step {number} is finished by the verification itself: press “Verify now”. "
            "When every check has passed, the onboarding is complete."
        )
    if number < guide.last_credential_step:
        return
    if onboarding.missing:
        raise Refused(
            f"Step {number} needs all {len(guide.credentials)} values first. "
            f"Still missing: {labels(onboarding, onboarding.missing)}. "
            "Press “Enter securely” on this step to add what is missing."
        )
    if exposed := onboarding.exposed:
        raise Refused(
            f"{labels(onboarding, exposed)} was posted in the channel. Please create a new one in "
            f"{guide.platform} and enter it with *Enter securely*."
        )
    if onboarding.guide.phase_of(number).owner is Owner.CLIENT:
        _must_not_be_failed(onboarding)


def _must_not_be_failed(onboarding: Onboarding) -> None:
    """Raise Refused while the last check failed, and the client can do something about it."""
    report = onboarding.client_can_fix
    if report is None:
        return
    if onboarding.verification and onboarding.verification.report is None:
        raise Refused("I'm still checking your credentials. The result will show up in a moment.")
    if report.fields:
        again = f"Please re-enter {labels(onboarding, report.fields)}; we'll check again."
    else:
        steps = listed(f"step {number}" for number in report.steps)
        again = f"Please look at {steps} again, then press *Check again*."
    raise Refused(f"Almost! The last check needs a fix. {again}")


def undo_step(onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
    """Make a finished step current again; later ones wait for it. Credentials are kept."""
    must_be_active(onboarding)
    progress = onboarding.step(number)
    if progress.state is StepState.CURRENT:
        raise Refused(f"Step {number} is open already.")
    if progress.state is StepState.WAITING:
        raise Refused(f"Step {number} is not done yet, so there is nothing to undo.")
    if cause := skipped_by(onboarding, number):
        raise Refused(f"Step {number} was not needed. To change that, undo step {cause}.")
    if progress.state is StepState.SKIPPED and actor.role not in (Role.ENGINEER, Role.BOT):
        raise Refused(f"Step {number} was skipped by HeavySet Tech, who may open it again.")
    undone = Event(EventKind.STEP_UNDONE, actor, now, number)
    if onboarding.current and number > onboarding.current.number:  # it was skipped ahead of time
        waiting = replace(progress, state=StepState.WAITING, by=None, at=None)
        steps = tuple(waiting if step is progress else step for step in onboarding.steps)
        return changed(onboarding, now, [undone], steps=steps)
    account = None if onboarding.guide.step(number).choice else onboarding.account
    return changed(onboarding, now, [undone], steps=back_to(onboarding, number), account=account)


def skip_step(onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
    """Leave out step `number`, now or when it is reached."""
    progress = onboarding.step(number)
    if progress.finished and progress.by and progress.at:
        state = "done" if progress.state is StepState.DONE else "skipped"
        text = f"Step {number} is {state} already, by {{by}}, {{at}}."
        raise Refused(text, by=progress.by, at=progress.at)
    must_be_active(onboarding)
    step = onboarding.guide.step(number)
    if step.verifies:
        raise Refused(
            f"Step {number} is the verification: it cannot be skipped, as nobody would know "
            "whether the values work."
        )
    if step.choice:
        raise Refused(f"Step {number} is a question: answer it with one of its buttons.")
    skipped = Event(EventKind.STEP_SKIPPED, actor, now, number)
    return end_step(onboarding, number, actor, now, [skipped], state=StepState.SKIPPED)


def hand_over_steps(
    onboarding: Onboarding, number: int, actor: Actor, now: datetime, *, rest_of_phase: bool = False
) -> Change:
    """Have HeavySet do step `number`, or the rest of its phase."""
    must_be_current(onboarding, number)
    phase = onboarding.guide.phase_of(number)
    if phase.owner is Owner.HEAVYSET:
        raise Refused(f"Step {number} is HeavySet Tech's already.")
    wanted = [step.number for step in phase.steps if step.number >= number]
    wanted = wanted if rest_of_phase else [number]
    left = {number for number in wanted if not onboarding.step(number).handed_over}
    if not left:
        raise Refused(f"Step {number} is with HeavySet Tech already.")
    return _handed(onboarding, left, EventKind.STEPS_HANDED_OVER, actor, now)


def give_back_steps(onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
    """Return step `number`, and later steps of its phase that were handed over, to the client."""
    must_be_current(onboarding, number)
    steps = (step.number for step in onboarding.guide.phase_of(number).steps)
    back = {step for step in steps if step >= number and onboarding.step(step).handed_over}
    if not back:
        raise Refused(f"Step {number} is not with HeavySet Tech: nothing can be returned.")
    return _handed(onboarding, back, EventKind.STEPS_GIVEN_BACK, actor, now)


def _handed(
    onboarding: Onboarding, numbers: set[int], kind: EventKind, actor: Actor, now: datetime
) -> Change:
    handed = kind is EventKind.STEPS_HANDED_OVER
    steps = tuple(
        replace(step, handed_over=handed) if step.number in numbers else step
        for step in onboarding.steps
    )
    event = Event(kind, actor, now, min(numbers), {"steps": sorted(numbers)})
    return changed(onboarding, now, [event], steps=steps)
