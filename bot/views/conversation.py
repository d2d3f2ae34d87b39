"""Private lines to people who type in the thread, with buttons for what they may have meant."""

from slack_sdk.models.blocks import ButtonElement

from bot.core.mrkdwn import mention
from bot.guide import Step
from bot.onboarding import Onboarding
from bot.views import ids
from bot.views.blocks import actions, button, section
from bot.views.status import Answer, answer_of


def near_line(onboarding: Onboarding, step: Step, ts: str) -> Answer:
    """Return the question what a message meant that only comes near one of the words.

    `ts` is the message's: its text is read again if it is sent on.
    """
    ref = str(ids.StepRef(onboarding.id, step.number))
    message = str(ids.StepRef(onboarding.id, step.number, (ts,)))
    buttons = _finishing(step, ref)
    what = f"Is step {step.number} done" if buttons else "Do you need anything"
    buttons.append(button("Send to my engineer", ids.SEND_TO_ENGINEER, message))
    buttons.append(button("Just chatting", ids.JUST_CHATTING, ref))
    text = f"{what}, or should I pass your message on to {mention(onboarding.engineer)}?"
    return answer_of([section(text), actions(buttons)])


def _finishing(step: Step, ref: str) -> list[ButtonElement]:
    if step.choice:
        return [
            button(option.label, f"{ids.CHOOSE_ACCOUNT}:{option.id}", ref)
            for option in step.choice.options
        ]
    text = f"Mark step {step.number} done"
    return [button(text, ids.MARK_STEP_DONE, ref, style="primary")]
