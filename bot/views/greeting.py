"""The greeting of somebody who joined the channel, in the thread."""

from bot.core.mrkdwn import escape, link, mention
from bot.onboarding import Onboarding
from bot.onboarding.model import Joined
from bot.views.blocks import Message, message, section


def slot(number: int) -> str:
    return f"greeting:{number}"


def greeting_message(onboarding: Onboarding, joined: Joined, address: str | None) -> Message:
    """Return the greeting; `address` is that of the message of the step that was current."""
    step = onboarding.guide.step(joined.step) if joined.step else None
    start = ""
    if step:
        where = f"step {step.number}"
        start = f" Start here: {link(address, where) if address else where}, {escape(step.title)}."
    text = f"👋 Hi {mention(joined.by.user_id)}, welcome!{start}"
    return message(onboarding.id, slot(joined.number), [section(text)])
