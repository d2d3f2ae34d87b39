"""Private replies: why something was refused, and answers to words in the thread."""

from datetime import datetime

from bot.core.english import listed
from bot.core.errors import Refused
from bot.core.mrkdwn import escape, mention, when
from bot.guide import Owner
from bot.onboarding import Onboarding, Status
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


def asked_text(onboarding: Onboarding) -> str:
    """Return the reply to someone whose question was sent to the engineer."""
    engineer = mention(onboarding.engineer)
    return f"Got it! {engineer} will reply in this thread. Feel free to keep going."


def status_text(onboarding: Onboarding, *, for_client: bool = True) -> str:
    """Return where the onboarding is, in a few words."""
    done = f"{onboarding.finished_steps} of {len(onboarding.steps)} steps done"
    step = onboarding.current
    if step is None:
        return f"{done}. You're all done."
    at = f"{done}. Next: step {step.number}, {escape(step.title)}"
    if onboarding.status is Status.PAUSED:
        return f"{at}. It's on hold until HeavySet Tech resumes it."
    client = "you" if for_client else escape(onboarding.client_name)
    whom = mention(onboarding.engineer) if onboarding.turn is Owner.HEAVYSET else client
    lines = [f"{at}. Waiting on {whom} since {when(onboarding.progress_at)}."]
    if onboarding.to_enter_again:
        names = listed(onboarding.guide.field(name).label for name in onboarding.to_enter_again)
        lines.append(f"Please re-enter: {escape(names)}.")
    return "\n".join(lines)


def help_text(onboarding: Onboarding) -> str:
    """Return the guide's own help for the current step, and how to ask."""
    step = onboarding.current
    if step is None:
        return f"All steps are done. Questions? Just ask {mention(onboarding.engineer)}."
    hints = [*onboarding.guide.trouble_at(step.number), *step.if_stuck, *step.tips]
    text = f"*Step {step.number}: {escape(step.title)}*"
    if hints:
        text = f"{text}\n{bullets(hints)}"
    return f"{text}\nTo ask {mention(onboarding.engineer)}, type `help` and your question."


def words_text(onboarding: Onboarding) -> str:
    step = onboarding.current
    words = ["`done`", "`undo`", "`status`"]
    if step:
        words = [f"`{option.id}`" for option in step.options] + words
    return (
        f"You can type {', '.join(words)}, or `help` plus your question. Please don't post "
        "passwords or keys here."
    )
