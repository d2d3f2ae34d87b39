"""Tells the engineering channel what the event log has for it, each event once."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

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
# Refusals of one announcement, which the others need not mind; every other one is about the channel
# or about us (chat.postMessage's errors).
ABOUT_THE_MESSAGE = {
    "invalid_arguments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_metadata_format",
    "metadata_too_large",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
}
# After a refusal the channel is asked again by itself so late; sooner when Slack tells us that we
# are in it again, and at every start.
ASK_AGAIN_AFTER = timedelta(hours=1)


class Announcements:
    """Posts to the engineering channel.

    A channel that refuses is told of once, in the log and in `refusal`, and then left alone for a
    while: what it is to be told waits in the event log, and no thread waits for it.
    """

    def __init__(
        self, slack: Slack, database: Database, channel: str, clock: Callable[[], datetime]
    ) -> None:
        """Take Slack, where to write down what was announced, the channel's id and the time."""
        self._slack, self._database = slack, database
        self._channel, self._clock = channel, clock
        self.refusal = ""
        self.ask_again()

    def ask_again(self) -> None:
        """Announce what was left behind, as soon as somebody looks."""
        self._ask_at: datetime | None = self._clock()

    def are_due(self) -> bool:
        """Whether there may be something left behind, and the channel is to be asked now."""
        return self._ask_at is not None and self._clock() >= self._ask_at

    def caught_up(self) -> None:
        """Take note that nothing is left behind."""
        self._ask_at = None

    def warning(self) -> str | None:
        """Return how the channel refuses, if it does."""
        return f"Slack refuses announcements ({self.refusal})" if self.refusal else None

    async def publish(
        self,
        onboarding: Onboarding,
        outbox: Sequence[Announceable],
        timestamps: Mapping[str, str],
        hold: Callable[[AsyncSession], Awaitable[None]],
    ) -> None:
        """Announce `outbox` in order; `timestamps` of the thread's messages give the links.

        The client's first announcement heads a thread, in which the later ones stand. `hold` raises
        Stale if the lease is lost. If the channel refuses, all stays in the outbox, and nothing is
        raised.
        """
        if not outbox or (self.refusal and not self.are_due()):
            return
        try:
            await self._announce_all(onboarding, outbox, timestamps, hold)
        except SlackRefused as error:
            if not self.refusal:
                log.error("the engineering channel refuses announcements", extra=_of(error))
            self.refusal = error.code
            self._ask_at = self._clock() + ASK_AGAIN_AFTER
        else:
            if self.refusal:
                log.info("the engineering channel takes announcements again")
                self.refusal = ""

    async def _announce_all(
        self,
        onboarding: Onboarding,
        outbox: Sequence[Announceable],
        timestamps: Mapping[str, str],
        hold: Callable[[AsyncSession], Awaitable[None]],
    ) -> None:
        async with self._database.begin(write=False, behind=True) as session:
            thread_ts = await publishing.announcement_thread(session, onboarding.id)
        for entry in outbox:
            thread_ts = await self._announce(onboarding, entry, timestamps, thread_ts, hold)

    async def _announce(
        self,
        onboarding: Onboarding,
        entry: Announceable,
        timestamps: Mapping[str, str],
        thread_ts: str | None,
        hold: Callable[[AsyncSession], Awaitable[None]],
    ) -> str | None:
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
            async with self._database.begin(behind=True) as session:
                await hold(session)
                await publishing.claim_announcement(session, entry.id, since)
            try:
                ts, thread_ts = await self._post(message, thread_ts)
            except SlackRefused as error:
                if error.code not in ABOUT_THE_MESSAGE:
                    raise
                log.error("an announcement is refused", extra={"event": entry.id, **_of(error)})
                ts = ""  # never to be tried again
        async with self._database.begin(behind=True) as session:
            await publishing.record_announcement(session, entry.id, ts)
            if ts and thread_ts is None:
                await publishing.record_announcement_thread(session, onboarding.id, ts)
        return thread_ts or ts or None

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


def _of(error: SlackRefused) -> dict[str, str]:
    return {"method": error.method, "code": error.code}
