"""Warns in the engineering channel when people outside HeavySet can read it."""

import asyncio
import logging

from bot.core.background import BackgroundTasks
from bot.core.errors import Unavailable
from bot.publishing.notices import Notices
from bot.slack import Slack, SlackRefused
from bot.views.engineering_channel import shared_channel_message

log = logging.getLogger(__name__)

SHARED = "engineering_channel_shared"
LONGEST_PAUSE_SECONDS = 60


class EngineeringChannel:
    """Checks the channel at startup, and when Slack says that it was shared or unshared."""

    def __init__(
        self, *, slack: Slack, channel: str, notices: Notices, tasks: BackgroundTasks
    ) -> None:
        self._slack, self._channel = slack, channel
        self._notices, self._tasks = notices, tasks

    def check_soon(self) -> None:
        """Check in the background; try again until Slack and the database answer."""
        self._tasks.spawn(self._check_until_answered(), "check the engineering channel")

    async def _check_until_answered(self) -> None:
        pause = 1
        while True:
            try:
                return await self._check()
            except SlackRefused as error:  # /readyz and doctor report a lost channel
                log.info("cannot check the engineering channel", extra={"why": str(error)})
                return None
            except Unavailable as error:
                log.info("cannot check the engineering channel", extra={"why": str(error)})
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _check(self) -> None:
        if not (await self._slack.channel(self._channel)).is_shared:
            await self._notices.forget(SHARED)
            return
        log.warning(
            "the engineering channel is shared with another organization, which reads clients' "
            "names and questions there: unshare it, or set ENGINEERING_CHANNEL to another"
        )
        if since := await self._notices.claim(SHARED):
            await self._notices.post(SHARED, shared_channel_message(since))
