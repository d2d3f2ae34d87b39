"""Tells the engineering channel what the event log has for it, each event once."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.onboarding import Onboarding
from bot.slack import NO_THREAD, NotInThread, NotNow, Slack, SlackRefused
from bot.views.announcement import ANNOUNCED, announcement
from bot.views.blocks import Message
from storage import publishing
from storage.database import Database
from storage.publishing import Announceable

log = logging.getLogger(__name__)

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
# After a refusal the channel is asked again by itself so late; sooner while the refusal is one that
# we do not know, when another worker gets through, when Slack tells us that we are in the channel
# again, and at every start.
ASK_AGAIN_AFTER = timedelta(hours=1)
ASK_SOON_AFTER = timedelta(seconds=30)
# What was left behind and may not be tried yet is looked for again so late.
LOOK_AGAIN_AFTER = timedelta(seconds=30)
BATCH = 50


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the channel said to an event's announcement; until `until` it is left alone."""

    code: str
    event: int
    since: datetime
    until: datetime


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
        self._refused: Refusal | None = None
        # When to look for what was left behind, by us or by a worker that died; None: nothing was.
        self._look_at: datetime | None = clock()

    @property
    def refusal(self) -> str:
        """What the channel said last, if it was a refusal."""
        return self._refused.code if self._refused else ""

    def warning(self) -> str | None:
        """Return how the channel refuses, if it does."""
        return f"Slack refuses announcements ({self.refusal})" if self._refused else None

    def ask_again(self) -> None:
        """Announce what was left behind, as soon as somebody looks."""
        now = self._clock()
        self._look_at = now
        if self._refused:
            self._refused = replace(self._refused, until=now)

    async def left_behind(self, session: AsyncSession, now: datetime) -> Sequence[str]:
        """Return whose announcements are to be tried: one, while the channel still refuses."""
        refused = self._refused
        if refused and await publishing.is_announced(session, refused.event):
            self._takes_again()  # another worker got through
        if self._look_at is None or now < self._look_at or self._is_left_alone(now):
            return ()
        limit = 1 if self._refused else BATCH
        found = await publishing.unannouncing(session, ANNOUNCED, now, limit)
        if not found:
            waiting = await publishing.are_unannounced(session, ANNOUNCED)
            self._look_at = now + LOOK_AGAIN_AFTER if waiting else None
        return found

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
        if not outbox:
            return
        if self._is_left_alone(self._clock()):
            self._look_at = self._look_at or self._clock()
            return
        for entry in outbox:
            try:
                await self._announce(onboarding, entry, timestamps, hold)
            except SlackRefused as error:
                self._refuses(entry, error)
                return
        self._takes_again()

    def _is_left_alone(self, now: datetime) -> bool:
        return self._refused is not None and now < self._refused.until

    def _refuses(self, entry: Announceable, error: SlackRefused) -> None:
        now = self._clock()
        if not self._refused:
            log.error("the engineering channel refuses announcements", extra=_of(error))
        since = self._refused.since if self._refused else now
        pause = ASK_AGAIN_AFTER
        if not error.is_final:
            pause = min(pause, max(ASK_SOON_AFTER, now - since))
        self._refused = Refusal(error.code, entry.id, since, now + pause)
        self._look_at = self._look_at or now

    def _takes_again(self) -> None:
        if self._refused:
            log.info("the engineering channel takes announcements again")
            self._refused, self._look_at = None, self._clock()

    async def _announce(
        self,
        onboarding: Onboarding,
        entry: Announceable,
        timestamps: Mapping[str, str],
        hold: Callable[[AsyncSession], Awaitable[None]],
    ) -> None:
        message = announcement(
            onboarding,
            entry.id,
            entry.event,
            timestamps=timestamps,
            workspace_url=self._slack.identity.url,
        )
        since = entry.announcing_since or self._clock()
        async with self._database.begin(background=True) as session:
            await hold(session)
            await publishing.claim_announcement(session, entry.id, since)
            head = await publishing.announcement_thread(session, onboarding.id)
        ts = await self._found(message, entry.announcing_since, head)
        thread_ts = head
        if ts is None:
            try:
                ts, thread_ts = await self._post(message, head)
            except (NotNow, SlackRefused) as error:  # this one was certainly not posted
                if not isinstance(error, SlackRefused) or error.code not in ABOUT_THE_MESSAGE:
                    await self._unclaim(entry, hold)
                    raise
                log.error("an announcement is refused", extra={"event": entry.id, **_of(error)})
                ts = ""  # never to be tried again
        async with self._database.begin(background=True) as session:
            await publishing.record_announcement(session, entry.id, ts)
            if ts and thread_ts is None:
                await publishing.record_announcement_thread(session, onboarding.id, ts)

    async def _unclaim(
        self, entry: Announceable, hold: Callable[[AsyncSession], Awaitable[None]]
    ) -> None:
        async with self._database.begin(background=True) as session:
            await hold(session)
            await publishing.claim_announcement(session, entry.id, entry.announcing_since)

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
            except NotInThread as stray:  # it heads the thread from now on
                return stray.ts, None
            except SlackRefused as error:
                if error.code not in NO_THREAD:
                    raise
        return await self._slack.post(self._channel, message), None


def _of(error: SlackRefused) -> dict[str, str]:
    return {"method": error.method, "code": error.code}
