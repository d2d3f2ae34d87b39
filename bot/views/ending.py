"""The notice that an onboarding was canceled."""

from bot.core.mrkdwn import escape, mention
from bot.onboarding import Onboarding
from bot.views.blocks import Message, message, section

ENDED = "ended"


def ended_message(onboarding: Onboarding) -> Message:
    """Return the notice; the reason stays within HeavySet."""
    text = (
        f"⛔ *HeavySet Tech has ended this setup for {escape(onboarding.client_name)}.* There's "
        "nothing more to do, and everything you entered has been deleted. Questions? Just ask "
        f"{mention(onboarding.engineer)}."
    )
    return message(onboarding.id, ENDED, [section(text)])
