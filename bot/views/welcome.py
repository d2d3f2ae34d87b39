"""The second message of a thread: what this is, how it works, and what to have ready."""

from bot.core.mrkdwn import escape, mention
from bot.guide import Owner
from bot.onboarding import Onboarding
from bot.views.blocks import Message, bullets, context, header, message, section


def welcome_message(onboarding: Onboarding) -> Message:
    guide = onboarding.guide
    admins = "".join(f" {mention(admin)}" for admin in onboarding.client_admins)
    ours = sum(len(phase.steps) for phase in guide.phases if phase.owner is Owner.HEAVYSET)
    theirs = len(guide.steps) - ours
    blocks = [
        header(f"Welcome, {onboarding.client_name}!"),
        section(
            f"Hi{admins}! I'll walk you through connecting {escape(guide.platform)} to HeavySet "
            f"Tech, one short step at a time, right here: {theirs} for you, {ours} for us. Press "
            f"*Done* after each one. Stuck? Press *I need help* and {mention(onboarding.engineer)} "
            "will jump in. You can stop anytime and pick up where you left off."
        ),
        section(
            "🔒 *Please don't post passwords or keys in this channel.* When a step needs one, "
            "press *Enter securely*. Only you see that window, and we store it encrypted."
        ),
        context(f"{escape(guide.prerequisites_intro)}\n{bullets(guide.prerequisites)}"),
    ]
    return message(onboarding.id, "welcome", blocks)
