"""Brings Slack level with the state: one publisher per onboarding at a time, by a lease.

It is level-triggered: whoever changes an onboarding wakes the publisher, and a sweep finds what a
crash, an outage or a rate limit left behind.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.background import BackgroundTasks
from bot.core.errors import OnboardingError, Refused, Stale, Unavailable, UnreadableRow
from bot.core.leases import keep_lease
from bot.core.metrics import Metrics
from bot.onboarding import Loss, Onboarding, lifecycle
from bot.publishing.announcements import Announcements
from bot.publishing.pins import Pins
from bot.publishing.queue import PublishQueue
from bot.publishing.thread import Thread, ThreadGone, Work, raise_most_telling
from bot.slack import RateLimited, SlackRefused
from bot.slack.rate_limits import RateLimits
from bot.views.announcement import ANNOUNCED
from bot.views.root import ROOT
from storage import onboardings, publishing
from storage.changes import change
from storage.database import Database
from storage.guides import GuideStore
from storage.leases import Worker
from storage.publishing import Posted

log = logging.getLogger(__name__)

LETTING_GO_SECONDS = 1
LEAST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 300.0
LEAST_REFUSED_SECONDS = 10.0
# What Slack answers to a post when the channel is of no use any more. Every other final refusal is
# Loss.REFUSED.
LOSS_BY_CODE = {
    "channel_not_found": Loss.BOT_REMOVED,
    "not_in_channel": Loss.BOT_REMOVED,
    "is_archived": Loss.ARCHIVED,
    "is_inactive": Loss.ARCHIVED,
    "account_inactive": Loss.UNINSTALLED,
    "token_revoked": Loss.UNINSTALLED,
}
# A refusal that we do not know is repeated for so long before it is taken to be final.
REPEATED_FOR = timedelta(minutes=4)
SWEEP_BATCH = 50
# So long people look at a thread in which they have pressed something.
SOMEBODY_WAITS = timedelta(minutes=1)


class Publisher:
    """Publishes onboardings: their threads, and their announcements."""

    def __init__(
        self,
        database: Database,
        guides: GuideStore,
        thread: Thread,
        announcements: Announcements,
        pins: Pins,
        tasks: BackgroundTasks,
        metrics: Metrics,
        rate_limits: RateLimits,
        clock: Callable[[], datetime],
        worker: Worker,
        on_published: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what it works with; `tasks` own its work. `on_published` is called after each."""
        self._database, self._guides, self._metrics = database, guides, metrics
        self._thread, self._announcements, self._pins = thread, announcements, pins
        self._tasks, self._clock, self._on_published = tasks, clock, on_published
        self._worker = worker
        self._queue, self._rate_limits = (
            PublishQueue(self._publish, tasks, rate_limits),
            rate_limits,
        )
        self._failing: dict[str, _Failing] = {}
        rate_limits.on_return = self._slack_is_back

    def wake(self, onboarding_id: str) -> None:
        """Publish an onboarding at once, whatever happened before: somebody waits for it."""
        self._forget(onboarding_id)
        self._queue.call(onboarding_id)

    async def sweep(self) -> None:
        """Take up what Slack does not show yet: what changed last first, at leisure.

        Who acted a moment ago still waits: a worker died over that, or before it could begin.
        """
        now = self._clock()
        async with self._database.begin(write=False, background=True) as session:
            waiting = await publishing.unpublished(session, self._worker, now, SWEEP_BATCH)
            unannounced = await self._announcements.left_behind(session, now)
            backlog = await publishing.backlog(session)
        self._metrics.backlog(backlog)
        for one in reversed(waiting):
            if now - one.active_at < SOMEBODY_WAITS:
                self._queue.call(one.id)
        self._queue.catch_up(dict.fromkeys([*(one.id for one in waiting), *unannounced]))

    def announce_again(self) -> None:
        """Announce at the next sweep what the engineering channel refused."""
        self._announcements.ask_again()

    async def _publish(self, onboarding_id: str) -> None:
        work, began = None, asyncio.get_running_loop().time()
        try:
            work = await self._take_up(onboarding_id)
            if work is None:  # whoever is at it lets go of the newest revision only
                return
            with self._metrics.lease():
                async with keep_lease(lambda: self._prolong(onboarding_id), began=began):
                    await self._show(work)
                    while following := await self._go_on(work):
                        work = following
                        await self._show(work)
            self._forget(onboarding_id)
            self._on_published()
        except asyncio.CancelledError:  # we are stopped; whoever comes next need not wait for us
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(LETTING_GO_SECONDS):
                    await self._let_go(onboarding_id, work)
            raise
        except Stale:
            log.info("lost the lease", extra={"onboarding": onboarding_id})
        except UnreadableRow:  # named in the log; no sweep tries it again before it can be read
            with suppress(Unavailable):
                await self._let_go(onboarding_id, work)
        except OnboardingError as error:
            await self._retry_later(onboarding_id, work, error)
        except Exception as error:  # a bug of ours must not hold the lease, nor be tried at once
            log.exception("an onboarding cannot be published", extra={"onboarding": onboarding_id})
            await self._retry_later(onboarding_id, work, error)

    async def _take_up(self, onboarding_id: str) -> Work | None:
        """Take the lease and claim what Slack does not show yet; None if somebody else has it."""
        async with self._database.begin(background=True) as session:
            if not await publishing.take_lease(session, onboarding_id, self._worker):
                return None
            return await self._claimed(session, onboarding_id)

    async def _go_on(self, work: Work) -> Work | None:
        """Let go of the lease if Slack shows the newest revision; else return what is left."""
        onboarding = work.onboarding
        with work.writing() as news:
            async with self._database.begin(background=True) as session:
                is_level = await publishing.release_lease(
                    session, onboarding.id, self._worker, published=onboarding.revision
                )
                if not is_level:
                    await self._hold(session, onboarding.id)
                await self._keep(session, work, news)
                return None if is_level else await self._claimed(session, onboarding.id)

    async def _claimed(self, session: AsyncSession, onboarding_id: str) -> Work:
        """Return what Slack does not show yet; its edits and its first post are claimed."""
        onboarding = await onboardings.get(session, self._guides, onboarding_id)
        posted = await publishing.messages(session, onboarding_id)
        root = posted.get(ROOT)
        if onboarding.thread_ts is None and root and root.ts:  # its thread was deleted
            await publishing.set_aside(session, onboarding_id)
            posted = await publishing.messages(session, onboarding_id)
        look_since = await publishing.look_since(session, onboarding_id)
        work = self._thread.plan(onboarding, posted, look_since)
        work.outbox = await publishing.unannounced(session, onboarding_id, ANNOUNCED)
        work.refused_since = await publishing.refused_since(session, onboarding_id)
        with work.writing() as claims:
            await self._keep(session, work, claims)
        return work

    async def _keep(self, session: AsyncSession, work: Work, news: Mapping[str, Posted]) -> None:
        onboarding, root = work.onboarding, news.get(ROOT)
        await publishing.write_down(session, onboarding.id, news.values(), work.known)
        if root and root.ts and root.ts != onboarding.thread_ts:
            await publishing.record_thread(session, onboarding.id, root.ts)

    async def _write_down(self, work: Work) -> None:
        with work.writing() as news:
            async with self._database.begin(background=True) as session:
                await self._hold(session, work.onboarding.id)
                await self._keep(session, work, news)

    async def _show(self, work: Work) -> None:
        """Bring the thread level, then announce; neither has to wait for the other to work."""
        onboarding = work.onboarding
        errors: list[Exception] = []
        try:
            await self._level(work)
        except Stale:  # another worker is at it, and announces as well
            raise
        except Exception as error:
            errors.append(error)
        try:
            await self._announcements.publish(
                onboarding,
                work.outbox,
                work.timestamps,
                lambda session: self._hold(session, onboarding.id),
            )
        except Exception as error:
            errors.append(error)
        raise_most_telling(errors)
        if ROOT in work.timestamps and self._pins.missing(onboarding, work.timestamps):
            pins = self._pins.add(onboarding, work.timestamps[ROOT])
            self._tasks.spawn(pins, f"pin and bookmark {onboarding.id}")

    async def _level(self, work: Work) -> None:
        """Bring the thread level; a channel that is of no use pauses the onboarding instead."""
        onboarding = work.onboarding
        try:
            await self._thread.level(work, lambda: self._write_down(work))
        except ThreadGone:
            await self._begin_another(onboarding, work.timestamps[ROOT])
        except SlackRefused as error:
            since = work.refused_since
            if not error.is_final and not (since and self._clock() - since >= REPEATED_FOR):
                raise
            log.error("a channel is lost", extra={"onboarding": onboarding.id, "code": error.code})
            await self._pause(onboarding.id, LOSS_BY_CODE.get(error.code, Loss.REFUSED), error.code)

    async def _begin_another(self, onboarding: Onboarding, thread_ts: str) -> None:
        """Give up the thread whose first message is gone; the next look posts all of it again."""
        log.warning("a thread was deleted", extra={"onboarding": onboarding.id})
        now = self._clock()
        with suppress(Refused):  # known already; or it is over, and nobody waits for news of it
            await change(
                self._database,
                self._guides,
                onboarding.id,
                lambda at: lifecycle.lose_thread(at, thread_ts, now),
                publishing.forget_thread,
            )

    async def _pause(self, onboarding_id: str, loss: Loss, code: str) -> None:
        now = self._clock()
        with suppress(Refused):  # finished: its thread stays as it is
            await change(
                self._database,
                self._guides,
                onboarding_id,
                lambda at: lifecycle.lose_channel(at, loss, now, code),
            )

    async def _hold(self, session: AsyncSession, onboarding_id: str) -> None:
        """Prolong the lease; raises Stale if it is lost."""
        if not await publishing.hold_lease(session, onboarding_id, self._worker):
            raise Stale

    async def _prolong(self, onboarding_id: str) -> bool:
        # Not behind anything: a lease does not wait for its place.
        async with self._database.begin() as session:
            return await publishing.hold_lease(session, onboarding_id, self._worker)

    async def _let_go(
        self,
        onboarding_id: str,
        work: Work | None,
        retry_at: datetime | None = None,
        refused_at: datetime | None = None,
    ) -> None:
        async with self._database.begin() as session:
            is_ours = await publishing.release_lease(
                session, onboarding_id, self._worker, retry_at=retry_at, refused_at=refused_at
            )
            if is_ours and work:
                await self._keep(session, work, work.news)

    async def _retry_later(self, onboarding_id: str, work: Work | None, error: Exception) -> None:
        now, before = self._rate_limits.now(), self._failing.get(onboarding_id)
        since = before.since if before else now
        self._forget(onboarding_id)
        pause = _pause(error, now - since)
        reason = str(error) if isinstance(error, OnboardingError) else type(error).__name__
        extra = {"onboarding": onboarding_id, "reason": reason, "retry_in": round(pause, 1)}
        log.warning("Slack could not be brought level", extra=extra)
        again, loop = self._queue.again(onboarding_id), asyncio.get_running_loop()
        if isinstance(error, RateLimited):  # nothing has failed yet
            since = now + pause
        timer = loop.call_later(pause, again, onboarding_id)
        self._failing[onboarding_id] = _Failing(since, timer, again)
        with suppress(Unavailable):  # the lease ends by itself
            moment = self._clock()
            refused_at = moment if isinstance(error, SlackRefused) else None
            await self._let_go(onboarding_id, work, moment + timedelta(seconds=pause), refused_at)

    def _forget(self, onboarding_id: str) -> None:
        """Begin again with the pauses of an onboarding."""
        if failing := self._failing.pop(onboarding_id, None):
            failing.timer.cancel()

    def _slack_is_back(self, away_since: float) -> None:
        """Let everything go that has only failed since then; what failed before has other ills."""
        loop, now = asyncio.get_running_loop(), self._rate_limits.now()
        for onboarding_id, failing in self._failing.items():
            waits = not failing.timer.cancelled() and failing.timer.when() > loop.time()
            if waits and away_since <= failing.since <= now:
                failing.timer.cancel()
                failing.again(onboarding_id)


@dataclass(frozen=True, slots=True)
class _Failing:
    """Since when an onboarding cannot be published, by a clock that nobody sets; its next try."""

    since: float
    timer: asyncio.TimerHandle
    again: Callable[[str], None]


def _pause(error: Exception, failing_for: float) -> float:
    """Return the seconds until the next try, different for each onboarding.

    That is as long as Slack asks for, and a moment, as not all who wait may come at once; else
    about half of the time since the first failure: however often it was tried meanwhile.
    """
    chance = random.random()  # noqa: S311  # jitter, not a secret
    if isinstance(error, RateLimited):
        return error.seconds + chance
    least = LEAST_REFUSED_SECONDS if isinstance(error, SlackRefused) else LEAST_PAUSE_SECONDS
    return min(max(least, failing_for / 2), LONGEST_PAUSE_SECONDS) * (1 + chance) / 2
