"""Transitions of steps: done, undone, skipped, and handed from one side to the other."""

from dataclasses import replace
from datetime import datetime

from bot.core.english import listed
from bot.core.errors import Refused
from bot.guide import Owner
from bot.onboarding.events import Event, EventKind
from bot.onboarding.model import StepState
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
    must_be_unfinished,
    skipped_by,
)


def choose_option(
    onboarding: Onboarding, number: int, option_id: str, actor: Actor, now: datetime
) -> Change:
    """Answer the question of step `number`; that ends it, and skips what is now unnecessary."""
    option = must_be_current(onboarding, number, actor).option(option_id)
    if option is None:
        raise Refused("That option is gone. Please use the latest message.")
    chosen = Event(EventKind.ACCOUNT_CHOSEN, actor, now, number, {"choice": option.id})
    done = Event(EventKind.STEP_DONE, actor, now, number)
    skipped = [Event(EventKind.STEP_SKIPPED, actor, now, skip) for skip in option.skips]
    after = replace(onboarding, account=option.id)
    return end_step(after, number, actor, now, chosen, done, *skipped, skip=option.skips)


def finish_step(onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
    step = must_be_current(onboarding, number, actor)
    if step.choice:
        answers = listed((f"“{option.label}”" for option in step.options), "or")
        raise Refused(f"Step {number} is a question. Please choose {answers}.")
    if step.verifies:
        raise Refused(
            f"Step {number} finishes on its own once every check passes. Press *Verify now*."
        )
    if number >= onboarding.guide.last_credential_step:
        _must_have_credentials(onboarding, number)
    done = Event(EventKind.STEP_DONE, actor, now, number)
    return end_step(onboarding, number, actor, now, done)


def _must_have_credentials(onboarding: Onboarding, number: int) -> None:
    """Raise Refused unless all are in, none was posted, and the client has none to fix."""
    if onboarding.missing:
        them = "it" if len(onboarding.missing) == 1 else "them"
        raise Refused(
            f"Almost! We still need {labels(onboarding, onboarding.missing)}. Press *Enter "
            f"securely* on this step to add {them}."
        )
    if exposed := onboarding.exposed:
        raise Refused(
            f"{labels(onboarding, exposed)} was posted in the channel. Please create a new one in "
            f"{onboarding.guide.platform} and enter it with *Enter securely*."
        )
    if onboarding.guide.phase_of(number).owner is Owner.CLIENT:
        _must_have_nothing_to_fix(onboarding)


def _must_have_nothing_to_fix(onboarding: Onboarding) -> None:
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
    """Open a finished step again; later ones wait for it. Credentials are kept."""
    must_be_active(onboarding, actor)
    progress = onboarding.step(number)
    if progress.state is StepState.CURRENT:
        raise Refused(f"Step {number} is already open.")
    if progress.state is StepState.WAITING:
        raise Refused(f"Step {number} isn't done yet, so there's nothing to undo.")
    _must_be_needed(onboarding, number)
    if progress.state is StepState.SKIPPED and actor.role not in (Role.ENGINEER, Role.BOT):
        raise Refused(f"HeavySet Tech skipped step {number}; only we can reopen it.")
    undone = Event(EventKind.STEP_UNDONE, actor, now, number)
    account = None if onboarding.guide.step(number).choice else onboarding.account
    return changed(onboarding, undone, steps=back_to(onboarding, number), account=account)


def _must_be_needed(onboarding: Onboarding, number: int) -> None:
    """Raise Refused if an answer made step `number` unnecessary."""
    if cause := skipped_by(onboarding, number):
        at = cause[0].number
        raise Refused(
            f"Step {number} was skipped because of step {at}. To change that, undo step {at}."
        )


def reopen_step(onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
    """Make one finished step current again; those after it stay finished."""
    must_be_active(onboarding, actor)
    progress = onboarding.step(number)
    if not progress.finished:
        raise Refused(f"Step {number} is already open.")
    _must_be_needed(onboarding, number)
    if onboarding.guide.step(number).choice:  # another answer needs other steps
        return undo_step(onboarding, number, actor, now)
    undone = Event(EventKind.STEP_UNDONE, actor, now, number, {"alone": True})
    steps = list(onboarding.steps)
    for position, step in enumerate(steps):
        if step.number == number:
            steps[position] = replace(step, state=StepState.CURRENT, by=None, at=None)
        elif step.state is StepState.CURRENT:
            steps[position] = replace(step, state=StepState.WAITING)
    return changed(onboarding, undone, steps=tuple(steps))


def skip_step(onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
    """Leave out step `number`, now or when it is reached."""
    must_be_unfinished(onboarding, number)
    must_be_active(onboarding, actor)
    step = onboarding.guide.step(number)
    if step.verifies:
        raise Refused(f"Step {number} can't be skipped. It's how we know everything works.")
    if step.choice:
        raise Refused(f"Step {number} is a question. Please choose one of its buttons.")
    skipped = Event(EventKind.STEP_SKIPPED, actor, now, number)
    return end_step(onboarding, number, actor, now, skipped, state=StepState.SKIPPED)


def skip_steps(onboarding: Onboarding, numbers: range, actor: Actor, now: datetime) -> Change:
    """Leave out several steps, all or none; those that are finished stay as they are."""
    change = Change(onboarding)
    for number in numbers:
        if not change.onboarding.step(number).finished:
            change = change.then(skip_step, number, actor, now)
    # If all were finished, the refusal says who finished the first.
    return change if change.events else skip_step(onboarding, numbers[0], actor, now)


def finish_steps(
    onboarding: Onboarding, numbers: range, actor: Actor, now: datetime, answer: str | None = None
) -> Change:
    """Mark several steps as done, up to the first that can't be; Refused if that is the first left.

    `answer` is that to a question among them.
    """
    change = Change(onboarding)
    for number in numbers:
        if change.onboarding.step(number).finished:
            continue
        try:
            if answer and onboarding.guide.step(number).choice:
                change = change.then(choose_option, number, answer, actor, now)
            else:
                change = change.then(finish_step, number, actor, now)
        except Refused:
            if change.events:
                break
            raise
    return change if change.events else finish_step(onboarding, numbers[0], actor, now)


def hand_over_steps(
    onboarding: Onboarding, number: int, actor: Actor, now: datetime, *, rest_of_phase: bool = False
) -> Change:
    """Have HeavySet do step `number`, or the rest of its phase."""
    must_be_current(onboarding, number, actor)
    phase = onboarding.guide.phase_of(number)
    if phase.owner is Owner.HEAVYSET:
        raise Refused(f"Step {number} is already ours.")
    wanted = [step.number for step in phase.steps if step.number >= number]
    wanted = wanted if rest_of_phase else [number]
    left = {number for number in wanted if not onboarding.step(number).handed_over}
    if not left:
        raise Refused(f"We already have step {number}.")
    return _handed(onboarding, left, EventKind.STEPS_HANDED_OVER, actor, now)


def give_back_steps(onboarding: Onboarding, number: int, actor: Actor, now: datetime) -> Change:
    """Return step `number`, and later steps of its phase that were handed over, to the client."""
    must_be_current(onboarding, number, actor)
    steps = (step.number for step in onboarding.guide.phase_of(number).steps)
    back = {step for step in steps if step >= number and onboarding.step(step).handed_over}
    if not back:
        raise Refused(f"We don't have step {number}, so there's nothing to take back.")
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
    return changed(onboarding, event, steps=steps)
