"""Warns in the engineering channel when people outside HeavySet can read it."""

import logging
from datetime import datetime

from bot.core.errors import Unavailable
from bot.publishing.notices import Notices
from bot.slack import Slack, SlackRefused
from bot.views.blocks import Message
from bot.views.engineering_channel import shared_channel_message

log = logging.getLogger(__name__)

SHARED = "engineering_channel_shared"


class EngineeringChannel:
    """Checks the channel at startup, and when Slack says that it was shared or unshared."""

    def __init__(self, *, slack: Slack, channel: str, notices: Notices) -> None:
        self._slack, self._channel, self._notices = slack, channel, notices
        self._is_due = True

    def check_soon(self) -> None:
        """Check at the next sweep: the channel has changed."""
        self._is_due = True
        self._notices.ask_again()

    async def look(self) -> None:
        """Check the channel if that is due; called by each sweep."""
        if not self._is_due:
            return
        self._is_due = False
        try:
            await self._check()
        except (SlackRefused, Unavailable) as error:  # /readyz and doctor report a lost channel
            self._is_due |= isinstance(error, Unavailable)
            log.info("cannot check the engineering channel", extra={"why": str(error)})

    async def _check(self) -> None:
        if not (await self._slack.channel(self._channel)).is_shared:
            await self._notices.forget(SHARED)
            return
        log.warning(
            "the engineering channel is shared with another organization, which reads clients' "
            "names and questions there: unshare it, or set ENGINEERING_CHANNEL to another"
        )

        async def warning(since: datetime) -> Message:
            return shared_channel_message(since)

        await self._notices.post(SHARED, warning)
