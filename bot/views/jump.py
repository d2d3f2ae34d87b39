"""The line at the thread's end when work stopped, went on, or went back to an earlier step."""

from bot.core.mrkdwn import escape, link, mention, when
from bot.onboarding import Event, EventKind, Onboarding
from bot.views.blocks import Message, message, section

LINES = {
    EventKind.STEP_UNDONE: "↩️ {who} went back to {step}, {at}.",
    EventKind.RESUMED: "▶️ {who} resumed this setup, {at}. Next: {step}",
    EventKind.PAUSED: "⏸️ {who} put this setup on hold, {at}.",
}
# By the bot: a secret was posted or deleted, or a check failed. Those messages say why.
BACK = "↩️ Back to {step}, {at}."


def slot(number: int) -> str:
    return f"jump:{number}"


def jump_message(
    onboarding: Onboarding, number: int, jump: Event, link_to_step: str | None
) -> Message:
    """Return the line, with a link to the step that it is about."""
    who = mention(jump.actor.user_id) if jump.actor.user_id else "HeavySet Tech"
    step = ""
    if jump.step:
        name = f"step {jump.step}: {onboarding.guide.step(jump.step).title}"
        step = link(link_to_step, name) if link_to_step else escape(name)
    is_ours = jump.kind is EventKind.STEP_UNDONE and not jump.actor.user_id
    text = (BACK if is_ours else LINES[jump.kind]).format(who=who, step=step, at=when(jump.at))
    return message(onboarding.id, slot(number), [section(text)])
