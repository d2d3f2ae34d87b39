"""Tells the engineering channel what the event log has for it, each event once."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bot.onboarding import Onboarding
from bot.slack import Slack, SlackRefused
from bot.views.announcement import announcement
from storage import publishing
from storage.database import Database
from storage.publishing import Announceable

log = logging.getLogger(__name__)


class Announcements:
    """Posts to the engineering channel."""

    def __init__(
        self, slack: Slack, database: Database, channel: str, clock: Callable[[], datetime]
    ) -> None:
        """Take Slack, where to write down what was announced, the channel's id and the time."""
        self._slack, self._database = slack, database
        self._channel, self._clock = channel, clock

    async def publish(
        self,
        onboarding: Onboarding,
        outbox: Sequence[Announceable],
        timestamps: Mapping[str, str],
    ) -> None:
        """Announce `outbox` in order; `timestamps` of the thread's messages give the links."""
        for entry in outbox:
            await self._announce(onboarding, entry, timestamps)

    async def _announce(
        self, onboarding: Onboarding, entry: Announceable, timestamps: Mapping[str, str]
    ) -> None:
        message = announcement(
            onboarding,
            entry.id,
            entry.event,
            timestamps=timestamps,
            workspace_url=self._slack.identity.url,
        )
        ts = None
        if entry.announcing_since:
            try:
                ts = await self._slack.find(self._channel, message, entry.announcing_since)
            except SlackRefused as error:  # see thread.py: twice is better than never
                log.warning("cannot look for a lost announcement", extra={"code": error.code})
        if ts is None:
            since = entry.announcing_since or self._clock()
            async with self._database.begin() as session:
                await publishing.claim_announcement(session, entry.id, since)
            ts = await self._slack.post(self._channel, message)
        async with self._database.begin() as session:
            await publishing.record_announcement(session, entry.id, ts)
