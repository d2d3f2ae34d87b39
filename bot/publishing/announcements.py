"""Announces events to the engineering channel, each once."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from bot.onboarding import Event, EventKind, Onboarding
from bot.onboarding.after_go_live import told_of
from bot.slack import ABOUT_THE_MESSAGE, NO_THREAD, NotInThread, NotNow, Slack, SlackRefused
from bot.views.announcement import ANNOUNCED, announcement
from bot.views.blocks import Message
from storage import outbox
from storage.database import Database
from storage.outbox import Announceable
from storage.session import Session

log = logging.getLogger(__name__)

Compose = Callable[[int, Event], Message]
Renew = Callable[[Session], Awaitable[object]]

# How long to leave alone a channel that refused; less after an unknown error, when another worker
# succeeds, when Slack says that we are in the channel again, and after a restart.
PAUSE = timedelta(hours=1)
SHORTEST_PAUSE = timedelta(seconds=30)
# How often to look for announcements that were left behind: if there were some that are not due
# yet, and if there were none. Other workers leave theirs behind when they end.
LOOK_AGAIN_AFTER, LOOK_ANYWAY_AFTER = timedelta(seconds=30), timedelta(hours=1)
BATCH = 50
# Events that change the announcement of an earlier event; some are announced as well.
EDITS = {
    EventKind.HELP_ANSWERED: EventKind.HELP_ASKED,
    EventKind.CLIENT_TOLD: EventKind.VERIFICATION_FINISHED,
    # These settle what to do about a quiet client.
    EventKind.ASK_AGAIN_LATER: EventKind.GONE_QUIET,
    EventKind.ACTIVE_AGAIN: EventKind.GONE_QUIET,
    EventKind.PAUSED: EventKind.GONE_QUIET,
    EventKind.CANCELLED: EventKind.GONE_QUIET,
}
OUTBOX = tuple(dict.fromkeys((*ANNOUNCED, *EDITS)))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Slack's error for an event's announcement; the channel is left alone until `until`."""

    code: str
    event: int
    since: datetime
    until: datetime


class Announcements:
    """Posts to the engineering channel.

    If the channel refuses, that is logged once, and the channel is left alone for a while.
    Meanwhile, announcements wait in the event log; threads are still updated.
    """

    def __init__(
        self, *, slack: Slack, database: Database, channel: str, clock: Callable[[], datetime]
    ) -> None:
        self._slack, self._database = slack, database
        self._channel, self._clock = channel, clock
        self._refused: Refusal | None = None
        self._look_at = clock()

    def warning(self) -> str | None:
        refused = self._refused
        return f"Slack refuses announcements ({refused.code})" if refused else None

    def ask_again(self) -> None:
        """Try the channel again at the next sweep."""
        now = self._clock()
        self._look_at = now
        if self._refused:
            self._refused = replace(self._refused, until=now)

    async def left_behind(self, session: Session, now: datetime) -> Sequence[str]:
        """Return the onboardings to announce: just one while the channel refuses."""
        refused = self._refused
        if refused and await outbox.is_announced(session, refused.event):
            self._accepted()  # another worker succeeded
        if now < self._look_at or self._is_paused(now):
            return ()
        limit = 1 if self._refused else BATCH
        found = await outbox.due(session, OUTBOX, now, limit)
        if not found:
            waiting = await outbox.has_unannounced(session, OUTBOX)
            self._look_at = now + (LOOK_AGAIN_AFTER if waiting else LOOK_ANYWAY_AFTER)
        return found

    async def publish(
        self,
        onboarding: Onboarding,
        entries: Sequence[Announceable],
        timestamps: Mapping[str, str],
        renew: Renew,
    ) -> None:
        """Announce `entries` in order; `timestamps` of the thread's messages give the links.

        The client's first announcement starts a thread for the later ones. `renew` raises Stale if
        the lease is lost. If the channel refuses, all stay in the outbox, and nothing is raised.
        """
        if not entries:
            return
        if self._is_paused(self._clock()):
            self._look_at = min(self._look_at, self._clock())
            return
        compose = partial(
            announcement,
            onboarding,
            timestamps=timestamps,
            workspace_url=self._slack.identity.url,
        )
        for entry in entries:
            try:
                if entry.event.kind in EDITS:
                    await self._edit_earlier(onboarding, entry.event, compose)
                if entry.event.kind in ANNOUNCED:
                    message = compose(entry.id, entry.event)
                    await self._announce(onboarding.id, entry, message, renew)
                else:
                    async with self._database.begin(background=True) as session:
                        await outbox.record(session, entry.id, "")
            except SlackRefused as error:
                self._pause(entry, error)
                return
        self._accepted()

    def _is_paused(self, now: datetime) -> bool:
        return self._refused is not None and now < self._refused.until

    def _pause(self, entry: Announceable, error: SlackRefused) -> None:
        now = self._clock()
        if not self._refused:
            log.error("the engineering channel refuses announcements", extra=_extra(error))
        since = self._refused.since if self._refused else now
        pause = PAUSE if error.is_final else min(PAUSE, max(SHORTEST_PAUSE, now - since))
        self._refused = Refusal(error.code, entry.id, since, now + pause)
        self._look_at = min(self._look_at, now)

    def _accepted(self) -> None:
        if self._refused:
            log.info("the engineering channel accepts announcements again")
            self._refused, self._look_at = None, self._clock()

    async def _announce(
        self, onboarding_id: str, entry: Announceable, message: Message, renew: Renew
    ) -> None:
        since = entry.announcing_since or self._clock()
        async with self._database.begin(background=True) as session:
            await renew(session)
            await outbox.claim(session, entry.id, since)
            thread_ts = await outbox.thread(session, onboarding_id)
        ts = await self._find(message, entry.announcing_since, thread_ts)
        if ts is None:
            try:
                ts, thread_ts = await self._post(message, thread_ts)
            except (NotNow, SlackRefused) as error:  # it is certain that it wasn't posted
                # All other errors are about the channel or about us.
                if not isinstance(error, SlackRefused) or error.code not in ABOUT_THE_MESSAGE:
                    async with self._database.begin(background=True) as session:
                        await renew(session)
                        await outbox.claim(session, entry.id, entry.announcing_since)
                    raise
                log.error("cannot announce an event", extra={"event": entry.id, **_extra(error)})
                ts = ""  # never try it again
        async with self._database.begin(background=True) as session:
            await outbox.record(session, entry.id, ts)
            if ts and thread_ts is None:
                await outbox.record_thread(session, onboarding_id, ts)

    async def _edit_earlier(self, onboarding: Onboarding, event: Event, compose: Compose) -> None:
        """Edit the announcements that this event changes."""
        async with self._database.begin(write=False, background=True) as session:
            announced = await outbox.announced(session, onboarding.id, EDITS[event.kind])
        for earlier_id, earlier, ts in announced:
            if not _changes(onboarding, event, earlier):
                continue
            try:
                await self._slack.update(self._channel, ts, compose(earlier_id, earlier))
            except SlackRefused as error:  # deleted, for example: nothing left to edit
                log.warning("an announcement was not edited", extra=_extra(error))

    async def _find(
        self, message: Message, since: datetime | None, thread_ts: str | None
    ) -> str | None:
        if since is None:
            return None
        try:
            return await self._slack.find(self._channel, message, since, thread_ts)
        except SlackRefused as error:  # as in thread.py: twice is better than never
            log.warning("cannot look for a lost announcement", extra={"code": error.code})
            return None

    async def _post(self, message: Message, thread_ts: str | None) -> tuple[str, str | None]:
        """Post, in the thread if it still exists; return the ts, and the thread's ts."""
        if thread_ts:
            try:
                return await self._slack.post(self._channel, message, thread_ts), thread_ts
            except NotInThread as error:  # it starts a new thread
                return error.ts, None
            except SlackRefused as error:
                if error.code not in NO_THREAD:
                    raise
        return await self._slack.post(self._channel, message), None


def _changes(onboarding: Onboarding, later: Event, earlier: Event) -> bool:
    """Whether `later` changes what the announcement of `earlier` says."""
    if later.kind is EventKind.HELP_ANSWERED:
        numbers = set(later.detail["questions"])
        return any(one.at == earlier.at for one in onboarding.questions if one.number in numbers)
    if earlier.kind is EventKind.GONE_QUIET:
        offer = onboarding.quiet_offer
        return offer is not None and offer.at == earlier.at
    run = onboarding.verifications[earlier.detail["number"] - 1]
    return run.recheck and told_of(onboarding, run) is not None


def _extra(error: SlackRefused) -> dict[str, str]:
    return {"method": error.method, "code": error.code}
