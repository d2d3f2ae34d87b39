"""The line in the engineering channel when the bot is back after an absence."""

from datetime import datetime

from bot.core.mrkdwn import when
from bot.onboarding.history.sentences import lasting
from bot.views.blocks import Message, message, section


def returned_message(away_since: datetime, now: datetime, behind: int, left: int) -> Message:
    """Return the line; `behind` threads waited for the bot, and `left` of them still do."""
    text = f"🟢 *I'm back.* I was away for {lasting(now - away_since)}, since {when(away_since)}."
    if left:
        text += f" I'm still catching up on {_threads(left)}."
    elif behind:
        text += f" I've caught up on {_threads(behind)}."
    else:
        text += " Nothing was left behind."
    return message("", f"returned:{away_since:%Y%m%d%H%M%S%f}", [section(text)])


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"
