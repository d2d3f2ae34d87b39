"""Lines in the thread between its steps: someone joined, work stopped or went back, it ended."""

from bot.core.mrkdwn import escape, link, mention, when
from bot.onboarding import Event, EventKind, Onboarding
from bot.views.blocks import Message, message, section

ENDED = "ended"
JUMPS = {
    EventKind.STEP_UNDONE: "↩️ {who} went back to {step}, {at}.",
    EventKind.RESUMED: "▶️ {who} resumed this setup, {at}. Next: {step}",
    EventKind.PAUSED: "⏸️ {who} put this setup on hold, {at}.",
}
# By the bot: a secret was posted or deleted, or a check failed. Those messages say why.
BACK = "↩️ Back to {step}, {at}."


def greeting_message(
    onboarding: Onboarding, number: int, joined: Event, address: str | None
) -> Message:
    """Return the greeting; `address` is the URL of the message of the step that was current."""
    start = ""
    if joined.step:
        step = onboarding.guide.step(joined.step)
        where = f"step {step.number}"
        start = f" Start here: {link(address, where) if address else where}, {escape(step.title)}."
    text = f"👋 Hi {mention(joined.actor.user_id)}, welcome!{start}"
    return message(onboarding.id, f"greeting:{number}", [section(text)])


def jump_slot(number: int) -> str:
    return f"jump:{number}"


def jump_message(
    onboarding: Onboarding, number: int, jump: Event, link_to_step: str | None
) -> Message:
    """Return the line where work stopped, resumed, or went back, with a link to its step."""
    who = mention(jump.actor.user_id) if jump.actor.user_id else "HeavySet Tech"
    step = ""
    if jump.step:
        name = f"step {jump.step}: {onboarding.guide.step(jump.step).title}"
        step = link(link_to_step, name) if link_to_step else escape(name)
    is_ours = jump.kind is EventKind.STEP_UNDONE and not jump.actor.user_id
    text = (BACK if is_ours else JUMPS[jump.kind]).format(who=who, step=step, at=when(jump.at))
    return message(onboarding.id, jump_slot(number), [section(text)])


def ended_message(onboarding: Onboarding) -> Message:
    """Return the notice that an onboarding was canceled; the reason stays within HeavySet."""
    text = (
        f"⛔ *HeavySet Tech has ended this setup for {escape(onboarding.client_name)}.* There's "
        "nothing more to do, and everything you entered has been deleted. Questions? Just ask "
        f"{mention(onboarding.engineer)}."
    )
    return message(onboarding.id, ENDED, [section(text)])
