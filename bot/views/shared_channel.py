"""The warning in an engineering channel that people outside HeavySet can read."""

from datetime import datetime

from bot.views.blocks import Message, message, section

TEXT = (
    "⚠️ *This channel is open to another organization.* I post clients' names and questions here, "
    "so please stop sharing it, or have whoever runs this bot set `ENGINEERING_CHANNEL` to a "
    "channel that only HeavySet can see."
)


def shared_channel_message(since: datetime) -> Message:
    """Return the warning, posted once each time the channel is shared."""
    return message("", f"notice:{since:%Y%m%d%H%M%S%f}", [section(TEXT)])
