"""The notice that an onboarding was ended before its time."""

from bot.core.mrkdwn import escape, mention
from bot.onboarding import Onboarding
from bot.views.blocks import Message, message, section

ENDED = "ended"


def ended_message(onboarding: Onboarding) -> Message:
    """Return what the thread is told of a cancellation; why is HeavySet's own affair."""
    text = (
        f"⛔ *HeavySet Tech has ended this setup for {escape(onboarding.client_name)}.* There's "
        "nothing more to do, and everything you entered has been deleted. Questions? Just ask "
        f"{mention(onboarding.engineer)}."
    )
    return message(onboarding.id, ENDED, [section(text)])
