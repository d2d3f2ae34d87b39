"""The buttons of a step: while it is current, and to go back to it."""

from collections.abc import Iterator

from bot.core.mrkdwn import mention
from bot.guide import Owner, Step
from bot.onboarding import Onboarding
from bot.views import ids
from bot.views.blocks import Block, Element, actions, button, confirmation, section


def step_buttons(onboarding: Onboarding, step: Step) -> list[Element]:
    ref = ids.StepRef(onboarding.id, step.number)
    buttons = []
    entered = all(name in onboarding.credentials for name in step.credentials)
    if step.credentials:
        style = None if entered else "primary"
        buttons.append(button("Enter securely", ids.ENTER_CREDENTIALS, ref, style=style))
    if step.reveals:
        buttons.append(
            button(
                "Reveal credentials (HeavySet)",
                ids.REVEAL_CREDENTIALS,
                ref,
                label="Reveal credentials (engineers only)",
            )
        )
    if step.choice:
        buttons += choice_buttons(step, ref)
    elif step.verifies:
        buttons.append(button("Verify now (HeavySet)", ids.RUN_VERIFICATION, ref, style="primary"))
        if onboarding.guide.checks.by == "servicetitan":
            buttons.append(booking_button(onboarding, ref))
    else:
        style = "primary" if entered else None
        label = f"Step {step.number} is done"
        ours = onboarding.guide.phase_of(step.number).owner is Owner.HEAVYSET
        done = "Done (HeavySet)" if ours else "Done"
        buttons.append(button(done, ids.STEP_DONE, ref, style=style, label=label))
    buttons.append(button("I need help", ids.STEP_HELP, ref))
    if onboarding.owner_of(step.number) is Owner.CLIENT:
        buttons.append(button("Ask HeavySet to do it", ids.HAND_OVER, ref))
    return buttons


def choice_buttons(step: Step, ref: ids.StepRef) -> list[Element]:
    """Return a button for each answer to the question of a step."""
    return [button(one.label, f"{ids.CHOOSE_ACCOUNT}:{one.id}", ref) for one in step.options]


def hand_over_buttons(onboarding: Onboarding, step: Step) -> Iterator[Block]:
    """Yield the buttons to hand a client's step over, or to give it back."""
    phase = onboarding.guide.phase_of(step.number)
    ref = ids.StepRef(onboarding.id, step.number)
    if phase.owner is Owner.HEAVYSET or not onboarding.step(step.number).handed_over:
        return
    yield section(
        f"🤝 *HeavySet Tech has this one.* {mention(onboarding.engineer)} knows about it; nothing "
        "for you to do here."
    )
    buttons = [
        button("I'll do it myself", ids.GIVE_BACK, ref, label=f"Take step {step.number} back")
    ]
    later = [one.number for one in phase.steps if one.number > step.number]
    if any(not onboarding.step(number).handed_over for number in later):
        text = f"Hand over the rest of phase {phase.number}"
        buttons.insert(0, button(text, f"{ids.HAND_OVER}:phase", ref))
    yield actions(buttons)


def undo_button(onboarding_id: str, number: int) -> Element:
    confirm = confirmation(
        f"Go back to step {number}?",
        f"You'll pick up again from step {number} and go through the steps after it. Everything "
        "you entered is kept.",
        yes="Go back",
        no="Never mind",
    )
    ref, label = ids.StepRef(onboarding_id, number), f"Undo step {number}"
    return button("Undo", ids.STEP_UNDO, ref, confirm=confirm, label=label)


def reopen_button(onboarding_id: str, number: int) -> Element:
    confirm = confirmation(
        f"Reopen step {number}?",
        f"Only step {number} opens again. Everything after it stays done, and everything entered "
        "is kept.",
        yes="Reopen",
        no="Never mind",
    )
    ref = ids.StepRef(onboarding_id, number)
    label = f"Reopen just step {number} (engineers only)"
    return button("Reopen just this one", ids.REOPEN_STEP, ref, confirm=confirm, label=label)


def booking_button(onboarding: Onboarding, ref: ids.StepRef) -> Element:
    confirm = confirmation(
        "Create a test booking?",
        f"“TEST - please dismiss” will show up in {onboarding.client_name}'s "
        f"{onboarding.guide.platform} for a week from now. A dispatcher may act on it, so tell the "
        "client first. I'll dismiss it, or tell you where to. It stays in history and booking "
        "reports.",
        yes="Create booking",
        no="Not now",
    )
    label = "Verify with a test booking (engineers only)"
    return button("Verify + test booking", ids.TEST_BOOKING, ref, confirm=confirm, label=label)
