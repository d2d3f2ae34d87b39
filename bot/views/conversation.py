"""Private lines to people who type in the thread, with buttons for what they may have meant."""

from bot.core.mrkdwn import escape, excerpt, mention
from bot.guide import Step
from bot.onboarding import Onboarding, Question
from bot.views import ids
from bot.views.blocks import Element, EphemeralReply, actions, button, section
from bot.views.step_buttons import choice_buttons

QUOTED, MOST_QUOTED = 150, 3
LONGEST_LABEL = 30


def near_line(onboarding: Onboarding, step: Step, ts: str, engineer: str) -> EphemeralReply:
    """Return the question to ask about a message that only resembles one of the words.

    `ts` identifies the message, which is read again if it is sent on. `engineer` is their name.
    """
    ref = ids.StepRef(onboarding.id, step.number)
    message = ids.StepRef(onboarding.id, step.number, (ts,))
    if step.choice:
        buttons = choice_buttons(step, ref)
    else:
        text = f"Mark step {step.number} done"
        buttons = [button(text, ids.MARK_STEP_DONE, ref, style="primary")]
    what = f"Is step {step.number} done" if buttons else "Do you need anything"
    send = f"Send to @{engineer}"
    if not engineer or len(send) > LONGEST_LABEL:
        send = "Send to my engineer"
    buttons.append(button(send, ids.SEND_TO_ENGINEER, message))
    buttons.append(button("Just chatting", ids.JUST_CHATTING, ref))
    text = f"{what}, or should I pass your message on to {mention(onboarding.engineer)}?"
    return [section(text), actions(buttons)]


def answered_line(onboarding: Onboarding, ts: str) -> EphemeralReply:
    """Return the line that asks an engineer whether their message `ts` was the answer."""
    waiting = onboarding.open_questions[-MOST_QUOTED:]
    if len(waiting) == 1:
        [question] = waiting
        text = f"Did that answer {mention(question.by.user_id)}'s question?\n{_quoted(question)}"
        yes = _yes(onboarding, question, ids.MARK_ANSWERED, ts)
        return [section(text), actions([yes, _not_yet(onboarding)])]
    blocks = [section("Did that answer one of these questions?")]
    for question in waiting:
        yes = _yes(onboarding, question, f"{ids.MARK_ANSWERED}:{question.number}", ts)
        asker = mention(question.by.user_id)
        blocks.append(section(f"{asker} asked:\n{_quoted(question)}", yes))
    return [*blocks, actions([_not_yet(onboarding)])]


def send_line(onboarding: Onboarding, ts: str) -> EphemeralReply:
    """Return the offer to an engineer who replied in the engineering channel; `ts` is the reply."""
    question = onboarding.open_questions[-1]
    ref = ids.StepRef(onboarding.id, question.number, (ts,))
    text = f"Send this to {mention(question.by.user_id)} in *{escape(onboarding.client_name)}*'s "
    buttons = [
        button("Send to the client's thread", ids.SEND_TO_THREAD, ref, style="primary"),
        _not_yet(onboarding, "No, just us"),
    ]
    return [section(f"{text}thread?\n{_quoted(question)}"), actions(buttons)]


def _yes(onboarding: Onboarding, question: Question, action_id: str, ts: str) -> Element:
    ref = ids.StepRef(onboarding.id, question.number, (ts,))
    return button("Yes", action_id, ref, label=f"Yes, mark question {question.number} answered")


def _not_yet(onboarding: Onboarding, text: str = "Not yet") -> Element:
    return button(text, ids.NOT_ANSWERED, ids.StepRef(onboarding.id, 0))


def _quoted(question: Question) -> str:
    return f"> {excerpt(question.text, QUOTED)}"
