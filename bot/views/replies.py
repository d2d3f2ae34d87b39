"""Private replies: why something was refused, and answers to words in the thread."""

from datetime import datetime

from bot.core.english import listed
from bot.core.errors import Refused
from bot.core.mrkdwn import escape, mention, when
from bot.guide import Owner
from bot.onboarding import Onboarding
from bot.onboarding.people import Actor, UserRef
from bot.views.blocks import bullets


def refusal_text(refusal: Refused) -> str:
    """Return the text of a refusal, with people and times as Slack shows them."""
    if not refusal.data:
        return str(refusal)
    return str(refusal).format_map({name: _word(value) for name, value in refusal.data.items()})


def _word(value: object) -> str:
    match value:
        case Actor(user_id=""):
            return "me"
        case Actor() | UserRef():
            return mention(value.user_id)
        case datetime():
            return when(value)
        case _:
            return str(value)


def status_text(onboarding: Onboarding) -> str:
    """Return where the onboarding stands, in one line."""
    done = f"{onboarding.finished_steps} of {len(onboarding.steps)} steps are done"
    step = onboarding.current
    if step is None:
        return f"{done}. There is nothing left to do."
    whose = "HeavySet Tech's" if onboarding.turn is Owner.HEAVYSET else "your"
    return (
        f"{done}. Now: step {step.number}, {escape(step.title)}. It is {whose} turn since "
        f"{when(onboarding.active_at)}."
    )


def help_text(onboarding: Onboarding) -> str:
    """Return the guide's own help for the current step, and how to ask."""
    step = onboarding.current
    if step is None:
        return f"Every step is done. Questions? {mention(onboarding.engineer)} is here."
    troubles = [trouble.text for trouble in onboarding.guide.trouble_at(step.number)]
    hints = [*troubles, *step.tips]
    text = f"*Step {step.number}: {escape(step.title)}*"
    if hints:
        text = f"{text}\n{bullets(hints)}"
    return f"{text}\nTo ask {mention(onboarding.engineer)}, write `help` and your question."


def words_text(onboarding: Onboarding) -> str:
    """Return the words that are understood."""
    step = onboarding.current
    words = ["`done`", "`undo`", "`status`", "`help` (and your question)"]
    if step and step.choice:
        words = [f"`{option.id}`" for option in step.choice.options] + words
    return f"I understand {listed(words)}. Please never write a secret here."
