"""Brings Slack level with the state: one publisher per onboarding at a time, by a lease.

It is level-triggered: whoever changes an onboarding wakes the publisher, and a sweep finds what a
crash, an outage or a rate limit left behind.
"""

import asyncio
import logging
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.announcements import Announcements
from bot.errors import OnboardingError, Refused, Stale, Unavailable
from bot.landmarks import Landmarks
from bot.metrics import Metrics
from bot.onboarding import Loss, Onboarding
from bot.slack import RateLimited, SlackRefused
from bot.tasks import Tasks
from bot.thread import Thread, raise_most_telling
from bot.views.announcement import ANNOUNCED
from bot.views.root import ROOT
from storage import onboardings, publishing
from storage.changes import change
from storage.database import Database
from storage.guides import GuideShelf
from storage.publishing import Announceable, Posted

log = logging.getLogger(__name__)

# Longer than one Slack call may take, as it is prolonged before each post.
LEASE = timedelta(seconds=30)
LETTING_GO_SECONDS = 1
LONGEST_PAUSE_SECONDS = 300
# What Slack answers to a post when the channel is of no use any more. Every other refusal is one
# that no repetition changes either (Loss.REFUSED).
LOSSES = {
    "channel_not_found": Loss.BOT_REMOVED,
    "not_in_channel": Loss.BOT_REMOVED,
    "is_archived": Loss.ARCHIVED,
    "is_inactive": Loss.ARCHIVED,
    "account_inactive": Loss.UNINSTALLED,
    "token_revoked": Loss.UNINSTALLED,
}
SWEEP_BATCH = 50


class Publisher:
    """Publishes onboardings: their threads, and their announcements."""

    def __init__(
        self,
        database: Database,
        shelf: GuideShelf,
        thread: Thread,
        announcements: Announcements,
        landmarks: Landmarks,
        tasks: Tasks,
        metrics: Metrics,
        clock: Callable[[], datetime],
        on_published: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what it works with; `tasks` own its work. `on_published` is called after each."""
        self._database, self._shelf, self._metrics = database, shelf, metrics
        self._thread, self._announcements, self._landmarks = thread, announcements, landmarks
        self._tasks, self._clock, self._on_published = tasks, clock, on_published
        self._owner = uuid.uuid4().hex
        self._busy: dict[str, bool] = {}  # onboarding id → whether it changed meanwhile
        self._failures: dict[str, int] = {}
        self._limited: set[str] = set()  # Slack asked to wait with these

    def wake(self, onboarding_id: str) -> None:
        """Publish an onboarding soon; calls for one that is being published are coalesced."""
        if onboarding_id in self._busy:
            self._busy[onboarding_id] = True
            return
        self._busy[onboarding_id] = False
        self._tasks.spawn(self._publish_until_level(onboarding_id), f"publish {onboarding_id}")

    async def sweep(self) -> None:
        """Wake the publisher for everything that Slack does not show yet."""
        now = self._clock()
        async with self._database.begin(write=False) as session:
            waiting = await publishing.unpublished(session, now, SWEEP_BATCH)
            unannounced = await self._unannounced(session, now)
        self._metrics.backlog(len(waiting))
        for onboarding_id in dict.fromkeys([*waiting, *unannounced]):
            self.wake(onboarding_id)

    def announce_again(self) -> None:
        """Announce at the next sweep what the engineering channel refused."""
        self._announcements.ask_again()

    async def _unannounced(self, session: AsyncSession, now: datetime) -> Sequence[str]:
        """Return whose announcements are to be tried: one, while the channel still refuses."""
        if not self._announcements.are_due():
            return ()
        limit = 1 if self._announcements.refusal else SWEEP_BATCH
        found = await publishing.unannouncing(session, ANNOUNCED, now, limit)
        if not found:
            self._announcements.caught_up()
        return found

    async def _publish_until_level(self, onboarding_id: str) -> None:
        try:
            while True:
                self._busy[onboarding_id] = False
                await self._publish(onboarding_id)
                if not self._busy[onboarding_id]:
                    return
        finally:
            del self._busy[onboarding_id]

    async def _publish(self, onboarding_id: str) -> None:
        if not await self._take_lease(onboarding_id, patient=onboarding_id in self._limited):
            # The holder sees our change, as it only lets go of the newest revision; and when
            # Slack asked to wait, we wake ourselves afterwards.
            return
        try:
            while not await self._publish_once(onboarding_id):
                await self._prolong(onboarding_id)
            self._failures.pop(onboarding_id, None)
            self._limited.discard(onboarding_id)
            self._on_published()
        except asyncio.CancelledError:  # we are stopped; whoever comes next need not wait for us
            await self._let_go(onboarding_id)
            raise
        except Stale:
            log.info("lost the lease", extra={"onboarding": onboarding_id})
        except OnboardingError as error:
            await self._retry_later(onboarding_id, error)
        except Exception as error:  # a bug of ours must not hold the lease, nor be tried at once
            log.exception("an onboarding cannot be published", extra={"onboarding": onboarding_id})
            await self._retry_later(onboarding_id, error)

    async def _publish_once(self, onboarding_id: str) -> bool:
        """Bring Slack level with the newest revision; True when it still is the newest."""
        async with self._database.begin(write=False) as session:
            onboarding = await onboardings.get(session, self._shelf, onboarding_id)
            posted = await publishing.messages(session, onboarding_id)
            look_since = await publishing.look_since(session, onboarding_id)
            outbox = await publishing.unannounced(session, onboarding_id, ANNOUNCED)
        timestamps = await self._show(onboarding, posted, outbox, look_since)
        if ROOT in timestamps and self._landmarks.missing(onboarding, posted):
            work = self._landmarks.put_up(onboarding, timestamps[ROOT])
            self._tasks.spawn(work, f"pin and bookmark {onboarding_id}")
        async with self._database.begin() as session:
            return await publishing.release_lease(
                session, onboarding_id, self._owner, published=onboarding.revision
            )

    async def _show(
        self,
        onboarding: Onboarding,
        posted: Mapping[str, Posted],
        outbox: Sequence[Announceable],
        look_since: datetime | None,
    ) -> dict[str, str]:
        """Bring the thread level, then announce; neither has to wait for the other to work.

        Returns the ts of every message of the thread, by slot.
        """
        timestamps = {slot: one.ts for slot, one in posted.items() if one.ts}
        errors: list[Exception] = []
        try:
            timestamps = await self._level(onboarding, posted, look_since)
        except Stale:  # another worker is at it, and announces as well
            raise
        except Exception as error:
            errors.append(error)
        try:
            await self._announcements.publish(
                onboarding, outbox, timestamps, lambda: self._prolong(onboarding.id)
            )
        except Exception as error:
            errors.append(error)
        raise_most_telling(errors)
        return timestamps

    async def _level(
        self, onboarding: Onboarding, posted: Mapping[str, Posted], look_since: datetime | None
    ) -> dict[str, str]:
        """Bring the thread level; a channel that is of no use pauses the onboarding instead."""
        known = {slot: one.ts for slot, one in posted.items() if one.ts}
        if onboarding.loss and onboarding.loss.silent:
            return known
        try:
            return await self._thread.level(
                onboarding, posted, lambda: self._prolong(onboarding.id), look_since
            )
        except SlackRefused as error:
            log.error("a channel is lost", extra={"onboarding": onboarding.id, "code": error.code})
            await self._pause(onboarding.id, LOSSES.get(error.code, Loss.REFUSED), error.code)
            return known

    async def _pause(self, onboarding_id: str, loss: Loss, code: str) -> None:
        now = self._clock()
        with suppress(Refused):  # finished: its thread stays as it is
            await change(
                self._database,
                self._shelf,
                onboarding_id,
                lambda at: at.lose_channel(loss, now, code),
            )

    async def _take_lease(self, onboarding_id: str, *, patient: bool) -> bool:
        now = self._clock()
        async with self._database.begin() as session:
            return await publishing.take_lease(
                session, onboarding_id, self._owner, now=now, until=now + LEASE, patient=patient
            )

    async def _prolong(self, onboarding_id: str) -> None:
        if not await self._take_lease(onboarding_id, patient=False):
            raise Stale

    async def _let_go(self, onboarding_id: str) -> None:
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(LETTING_GO_SECONDS), self._database.begin() as session:
                await publishing.release_lease(session, onboarding_id, self._owner)

    async def _retry_later(self, onboarding_id: str, error: Exception) -> None:
        failures = self._failures[onboarding_id] = self._failures.get(onboarding_id, 0) + 1
        pause = _wait(error) if isinstance(error, RateLimited) else _pause(failures)
        reason = str(error) if isinstance(error, OnboardingError) else type(error).__name__
        extra = {"onboarding": onboarding_id, "reason": reason, "retry_in": round(pause, 1)}
        log.warning("Slack could not be brought level", extra=extra)
        retry_at = self._clock() + timedelta(seconds=pause)
        if isinstance(error, RateLimited):
            self._limited.add(onboarding_id)
        async with self._database.begin() as session:
            await publishing.release_lease(session, onboarding_id, self._owner, retry_at=retry_at)
        asyncio.get_running_loop().call_later(pause, self.wake, onboarding_id)


def _wait(limit: RateLimited) -> float:
    """Return the seconds that Slack asks for, and a moment: not all who wait may come at once."""
    return limit.seconds + random.random()  # noqa: S311  # jitter, not a secret


def _pause(failures: int) -> float:
    """Return the seconds until the next try: growing, and different for each onboarding."""
    longest = min(LONGEST_PAUSE_SECONDS, 1 << min(failures, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
