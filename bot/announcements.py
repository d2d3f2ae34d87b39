"""Tells the engineering channel what the event log has for it, each event once."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bot.onboarding import Onboarding
from bot.slack import Slack, SlackRefused
from bot.views.announcement import announcement
from bot.views.blocks import Message
from storage import publishing
from storage.database import Database
from storage.publishing import Announceable

log = logging.getLogger(__name__)

# Somebody deleted the announcement that headed the thread (chat.postMessage's errors).
NO_THREAD = {"thread_not_found", "message_not_found", "cannot_reply_to_message"}


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
        """Announce `outbox` in order; `timestamps` of the thread's messages give the links.

        The client's first announcement heads a thread, in which the later ones stand.
        """
        if not outbox:
            return
        async with self._database.begin(write=False) as session:
            thread_ts = await publishing.announcement_thread(session, onboarding.id)
        for entry in outbox:
            thread_ts = await self._announce(onboarding, entry, timestamps, thread_ts)

    async def _announce(
        self,
        onboarding: Onboarding,
        entry: Announceable,
        timestamps: Mapping[str, str],
        thread_ts: str | None,
    ) -> str:
        message = announcement(
            onboarding,
            entry.id,
            entry.event,
            timestamps=timestamps,
            workspace_url=self._slack.identity.url,
        )
        ts = await self._found(message, entry.announcing_since, thread_ts)
        if ts is None:
            since = entry.announcing_since or self._clock()
            async with self._database.begin() as session:
                await publishing.claim_announcement(session, entry.id, since)
            ts, thread_ts = await self._post(message, thread_ts)
        async with self._database.begin() as session:
            await publishing.record_announcement(session, entry.id, ts)
            if thread_ts is None:
                await publishing.record_announcement_thread(session, onboarding.id, ts)
        return thread_ts or ts

    async def _found(
        self, message: Message, since: datetime | None, thread_ts: str | None
    ) -> str | None:
        if since is None:
            return None
        try:
            return await self._slack.find(self._channel, message, since, thread_ts)
        except SlackRefused as error:  # see thread.py: twice is better than never
            log.warning("cannot look for a lost announcement", extra={"code": error.code})
            return None

    async def _post(self, message: Message, thread_ts: str | None) -> tuple[str, str | None]:
        """Post, in the thread if there still is one; returns the ts, and the thread's."""
        if thread_ts:
            try:
                return await self._slack.post(self._channel, message, thread_ts), thread_ts
            except SlackRefused as error:
                if error.code not in NO_THREAD:
                    raise
        return await self._slack.post(self._channel, message), None
