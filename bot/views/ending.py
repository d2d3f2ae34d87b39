"""The notice that an onboarding was ended before its time."""

from bot.core.mrkdwn import escape, mention
from bot.onboarding import Onboarding
from bot.views.blocks import Message, message, section

ENDED = "ended"


def ended_message(onboarding: Onboarding) -> Message:
    """Return what the thread is told of a cancellation; why is HeavySet's own affair."""
    text = (
        f"⛔ *HeavySet Tech has ended this onboarding* of {escape(onboarding.client_name)}. "
        "There is nothing left to do, and the values that were entered are destroyed. Questions? "
        f"{mention(onboarding.engineer)} is here."
    )
    return message(onboarding.id, ENDED, [section(text)])
