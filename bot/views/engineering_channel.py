"""Lines in the engineering channel about the bot or the channel rather than a client."""

from datetime import datetime

from bot.core.english import count
from bot.core.mrkdwn import when
from bot.onboarding.history import lasting
from bot.views.blocks import Message, message, section

SHARED = (
    "⚠️ *This channel is open to another organization.* I post clients' names and questions here, "
    "so please stop sharing it, or have whoever runs this bot set `ENGINEERING_CHANNEL` to a "
    "channel that only HeavySet can see."
)


def shared_channel_message(since: datetime) -> Message:
    """Return the warning, posted once each time the channel is shared."""
    return message("", f"notice:{since:%Y%m%d%H%M%S%f}", [section(SHARED)])


def returned_message(away_since: datetime, now: datetime, behind: int, left: int) -> Message:
    """Return the line after downtime; `left` of the `behind` threads still wait for the bot."""
    text = f"🟢 *I'm back.* I was away for {lasting(now - away_since)}, since {when(away_since)}."
    if left:
        text += f" I'm still catching up on {count(left, 'thread')}."
    elif behind:
        text += f" I've caught up on {count(behind, 'thread')}."
    else:
        text += " Nothing was left behind."
    return message("", f"returned:{away_since:%Y%m%d%H%M%S%f}", [section(text)])
