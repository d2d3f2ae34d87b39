"""The line in an engineering channel that others than HeavySet read."""

from datetime import datetime

from bot.views.blocks import Message, message, section

TEXT = (
    "⚠️ *This channel is open to another organization.* I post clients' names and questions here, "
    "so please stop sharing it, or have whoever runs this bot set `ENGINEERING_CHANNEL` to a "
    "channel that only HeavySet can see."
)


def shared_channel_message(since: datetime) -> Message:
    """Return what the channel is told, once for each time it is shared."""
    return message("", f"notice:{since:%Y%m%d%H%M%S%f}", [section(TEXT)])
