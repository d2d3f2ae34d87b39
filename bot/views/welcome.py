"""The second message of a thread: what this is, how it works, and what to have ready."""

from collections.abc import Iterator

from bot.core.mrkdwn import escape, mention
from bot.guide import Owner
from bot.onboarding import Onboarding
from bot.views.blocks import Block, Message, bullets, context, header, message, section

WELCOME = "welcome"


def welcome_message(onboarding: Onboarding) -> Message:
    """Return the welcome: what this is, how it works, and the prerequisites."""
    return message(onboarding.id, WELCOME, _welcome(onboarding))


def _welcome(onboarding: Onboarding) -> Iterator[Block]:
    guide = onboarding.guide
    yield header(f"Welcome, {onboarding.client_name}!")
    admins = "".join(f" {mention(admin)}" for admin in onboarding.client_admins)
    ours = sum(len(phase.steps) for phase in guide.phases if phase.owner is Owner.HEAVYSET)
    theirs = len(guide.steps) - ours
    yield section(
        f"Hi{admins}! I'll walk you through connecting {escape(guide.platform)} to HeavySet Tech, "
        f"one short step at a time, right here: {theirs} for you, {ours} for us. Press *Done* "
        "after "
        f"each one. Stuck? Press *I need help* and {mention(onboarding.engineer)} will jump in. "
        "You "
        "can stop anytime and pick up where you left off."
    )
    yield section(
        "🔒 *Please don't post passwords or keys in this channel.* When a step needs one, press "
        "*Enter securely*. Only you see that window, and we store it encrypted."
    )
    yield context(f"{escape(guide.prerequisites_intro)}\n{bullets(guide.prerequisites)}")
