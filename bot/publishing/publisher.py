"""Updates Slack after changes: one publisher per onboarding at a time, by means of a lease.

It is level-triggered: every change wakes the publisher, and a sweep finds what a crash, an outage
or a rate limit left behind.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from bot.core.background import BackgroundTasks
from bot.core.errors import OnboardingError, Refused, Stale, Unavailable, UnreadableRow
from bot.core.leases import keep_lease
from bot.core.metrics import Metrics
from bot.onboarding import Loss, lifecycle
from bot.publishing.announcements import OUTBOX, Announcements
from bot.publishing.pins import Pins
from bot.publishing.queue import PublishQueue
from bot.publishing.retries import Retries
from bot.publishing.thread import Thread, ThreadGone, ThreadUpdate, raise_most_telling
from bot.slack import RateLimited, SlackRefused
from bot.slack.rate_limits import RateLimits
from bot.views.root import ROOT
from storage import outbox, posted_messages, thread_leases
from storage.changes import change
from storage.database import Database
from storage.from_rows import load
from storage.leases import Worker
from storage.posted_messages import Posted
from storage.session import Session
from storage.statements import Row

log = logging.getLogger(__name__)

RELEASE_SECONDS = 1
# What Slack's errors say about a channel; any other final error is Loss.REFUSED.
LOSS_BY_CODE = {
    "channel_not_found": Loss.BOT_REMOVED,
    "not_in_channel": Loss.BOT_REMOVED,
    "is_archived": Loss.ARCHIVED,
    "is_inactive": Loss.ARCHIVED,
    "account_inactive": Loss.UNINSTALLED,
    "token_revoked": Loss.UNINSTALLED,
}
# An unknown error counts as final once it has lasted this long.
FINAL_AFTER = timedelta(minutes=4)
SWEEP_BATCH = 50
# How long people keep looking at a thread after pressing something in it.
SOMEBODY_WAITS = timedelta(minutes=1)


class Publisher:
    """Publishes onboardings: their threads, and their announcements."""

    def __init__(
        self,
        *,
        database: Database,
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
        """`on_published` is called after each onboarding."""
        self._database, self._worker = database, worker
        self._thread, self._announcements, self._pins = thread, announcements, pins
        self._tasks, self._metrics, self._clock = tasks, metrics, clock
        self._queue = PublishQueue(self._publish, tasks, rate_limits)
        self._retries = Retries(rate_limits)
        self._on_published = on_published

    def wake(self, onboarding_id: str) -> None:
        """Publish an onboarding now, even if it failed before: someone is waiting for it."""
        self._retries.reset(onboarding_id)
        self._queue.push(onboarding_id)

    async def sweep(self) -> None:
        """Queue what Slack does not show yet, the latest changes first.

        If someone acted a moment ago, they are still waiting: a worker died before publishing that.
        """
        now = self._clock()
        async with self._database.begin(write=False, background=True) as session:
            waiting = await thread_leases.unpublished(session, self._worker, now, SWEEP_BATCH)
            unannounced = await self._announcements.left_behind(session, now)
            backlog = await thread_leases.backlog(session)
        self._metrics.backlog.set(backlog)
        for onboarding in reversed(waiting):
            if now - onboarding.active_at < SOMEBODY_WAITS:
                self._queue.push(onboarding.id)
        ids = [onboarding.id for onboarding in waiting]
        self._queue.set_backlog(dict.fromkeys([*ids, *unannounced]))

    async def _publish(self, onboarding_id: str) -> None:
        update, began = None, asyncio.get_running_loop().time()
        try:
            async with self._database.begin(background=True) as session:
                row = await thread_leases.take(session, onboarding_id, self._worker)
                update = await self._plan(session, row) if row else None
            if update is None:  # another worker has the lease, and publishes the newest revision
                return
            with self._metrics.leases.track_inprogress():
                async with keep_lease(lambda: self._prolong(onboarding_id), began=began):
                    await self._show(update)
                    while following := await self._finish(update):
                        update = following
                        await self._show(update)
            self._retries.reset(onboarding_id)
            if update.put_off and update.rests_at:
                seconds = (update.rests_at - self._clock()).total_seconds()
                self._retries.after(seconds, onboarding_id, self._queue.push)
            self._on_published()
        except asyncio.CancelledError:  # shutdown: another worker can take over now
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._release(onboarding_id, update)
            raise
        except Stale:
            log.info("lost the lease", extra={"onboarding": onboarding_id})
        except UnreadableRow:  # it was logged; no sweep retries it until it can be read
            with suppress(Unavailable):
                await self._release(onboarding_id, update)
        except OnboardingError as error:
            await self._retry_later(onboarding_id, update, error)
        except Exception as error:  # a bug must not keep the lease, nor be retried right away
            log.exception("publishing failed", extra={"onboarding": onboarding_id})
            await self._retry_later(onboarding_id, update, error)

    async def _finish(self, update: ThreadUpdate) -> ThreadUpdate | None:
        """Release the lease if Slack shows the newest revision; else plan the next update.

        If edits were put off, publish the thread again when it is at rest.
        """
        onboarding = update.onboarding
        with update.saving() as unsaved:
            async with self._database.begin(background=True) as session:
                is_newest = await thread_leases.release(
                    session,
                    onboarding.id,
                    self._worker,
                    published=onboarding.revision,
                    retry_at=update.rests_at if update.put_off else None,
                )
                await self._save(session, update, unsaved)
                if is_newest:
                    return None
                return await self._plan(session, await self._renewed(session, onboarding.id))

    async def _plan(self, session: Session, row: Row) -> ThreadUpdate:
        """Return what Slack does not show yet; its edits and its first post are claimed."""
        onboarding, onboarding_id = await load(session, row), row.id
        posted = await posted_messages.by_slot(session, onboarding_id)
        root = posted.get(ROOT)
        if onboarding.thread_ts is None and root and root.ts:  # its thread was deleted
            await posted_messages.keep_leftovers(session, onboarding_id)
            posted = await posted_messages.by_slot(session, onboarding_id)
        update = self._thread.plan(onboarding, posted, row.look_since)
        update.outbox = await outbox.unannounced(session, onboarding_id, OUTBOX)
        update.refused_since = row.refused_since
        with update.saving() as claims:
            await self._save(session, update, claims)
        return update

    async def _save(
        self, session: Session, update: ThreadUpdate, unsaved: Mapping[str, Posted]
    ) -> None:
        onboarding, root = update.onboarding, unsaved.get(ROOT)
        await posted_messages.save(session, onboarding.id, unsaved.values(), update.stored)
        if root and root.ts and root.ts != onboarding.thread_ts:
            await posted_messages.set_thread(session, onboarding.id, root.ts)

    async def _save_now(self, update: ThreadUpdate) -> None:
        with update.saving() as unsaved:
            async with self._database.begin(background=True) as session:
                await self._renewed(session, update.onboarding.id)
                await self._save(session, update, unsaved)

    async def _show(self, update: ThreadUpdate) -> None:
        """Update the thread, then announce; a failure of one does not stop the other."""
        onboarding = update.onboarding
        errors: list[Exception] = []
        try:
            await self._update_thread(update)
        except Stale:  # another worker publishes it, announcements included
            raise
        except Exception as error:
            errors.append(error)
        try:
            await self._announcements.publish(
                onboarding,
                update.outbox,
                update.timestamps,
                lambda session: self._renewed(session, onboarding.id),
            )
        except Exception as error:
            errors.append(error)
        raise_most_telling(errors)
        if ROOT in update.timestamps and self._pins.missing(onboarding, update.timestamps):
            pins = self._pins.add(onboarding, update.timestamps[ROOT])
            self._tasks.spawn(pins, f"pin and bookmark {onboarding.id}")

    async def _update_thread(self, update: ThreadUpdate) -> None:
        """Update the thread; if the channel can't be used anymore, pause the onboarding instead."""
        onboarding_id, also = update.onboarding.id, None
        try:
            await self._thread.apply(update, lambda: self._save_now(update))
            return
        except ThreadGone:
            log.warning("a thread was deleted", extra={"onboarding": onboarding_id})
            ts, now = update.timestamps[ROOT], self._clock()
            lose = partial(lifecycle.lose_thread, thread_ts=ts, now=now)
            also = posted_messages.forget_thread
        except SlackRefused as error:
            code, since, now = error.code, update.refused_since, self._clock()
            if not error.is_final and not (since and now - since >= FINAL_AFTER):
                raise
            log.error("a channel is lost", extra={"onboarding": onboarding_id, "code": code})
            loss = LOSS_BY_CODE.get(code, Loss.REFUSED)
            lose = partial(lifecycle.lose_channel, loss=loss, now=now, code=code)
        with suppress(Refused):  # already known, or the onboarding has ended
            await change(self._database, onboarding_id, lose, also)

    async def _renewed(self, session: Session, onboarding_id: str) -> Row:
        """Prolong the lease and return the onboarding's row; raises Stale if it was lost."""
        row = await thread_leases.prolong(session, onboarding_id, self._worker)
        if row is None:
            raise Stale
        return row

    async def _prolong(self, onboarding_id: str) -> bool:
        async with self._database.begin() as session:  # not as background work: it must not wait
            return bool(await thread_leases.prolong(session, onboarding_id, self._worker))

    async def _release(
        self,
        onboarding_id: str,
        update: ThreadUpdate | None,
        retry_at: datetime | None = None,
        refused_at: datetime | None = None,
    ) -> None:
        async with self._database.begin() as session:
            is_ours = await thread_leases.release(
                session, onboarding_id, self._worker, retry_at=retry_at, refused_at=refused_at
            )
            if is_ours and update:
                await self._save(session, update, update.unsaved)

    async def _retry_later(
        self, onboarding_id: str, update: ThreadUpdate | None, error: Exception
    ) -> None:
        pause = self._retries.add(onboarding_id, error, self._queue.retry(onboarding_id))
        reason = str(error) if isinstance(error, OnboardingError) else type(error).__name__
        extra = {"onboarding": onboarding_id, "reason": reason, "retry_in": round(pause, 1)}
        level = logging.INFO if isinstance(error, RateLimited) else logging.WARNING
        log.log(level, "cannot publish", extra=extra)
        now = self._clock()
        refused_at = now if isinstance(error, SlackRefused) else None
        with suppress(Unavailable):  # the lease expires anyway
            retry_at = now + timedelta(seconds=pause)
            await self._release(onboarding_id, update, retry_at, refused_at)
