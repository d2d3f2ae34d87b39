"""The sweep: regularly resumes what a crash, an outage or a pause left unfinished."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from bot.core.background import BackgroundTasks
from bot.core.errors import Unavailable
from storage import handled_requests, leases, throttling
from storage.database import Database
from storage.leases import Worker

log = logging.getLogger(__name__)

PURGE_INTERVAL = timedelta(hours=1)
# Slack repeats an event for a day at most (docs.slack.dev, Events API, "delayed events").
REPEATED_WITHIN = timedelta(days=2)
# Added to a lease's end, to be sure that it has expired.
LEASE_MARGIN_SECONDS = 0.1


class Sweep:
    """Runs the parts of the sweep one after the other; an error in one does not stop the rest."""

    def __init__(
        self,
        *parts: Callable[[], Awaitable[object]],
        database: Database,
        worker: Worker,
        checks: Sequence[Callable[[], Awaitable[None]]],
        tasks: BackgroundTasks,
        interval: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._parts = (*parts, self._purge_old_requests)
        self._database, self._worker = database, worker
        self._checks, self._tasks = checks, tasks
        self._interval, self._clock = interval, clock
        self._purged_at: datetime | None = None
        self._checking = False

    async def __call__(self) -> None:
        for part in self._parts:
            try:
                await part()
            except Unavailable as error:
                log.warning("the sweep was interrupted", extra={"reason": str(error)})
            except Exception:  # a bug in one part must not stop the others
                log.exception("the sweep failed")
        if not self._checking:
            self._checking = True
            self._tasks.spawn(self._check_once(), "check")

    async def seconds_until_next(self) -> float:
        """Return the seconds until the next sweep: sooner if another worker's lease ends."""
        end = None
        with suppress(Unavailable):
            async with self._database.begin(write=False, background=True) as session:
                end = await leases.next_end(session, self._worker)
        if end is None:
            return self._interval
        return min(self._interval, end.total_seconds() + LEASE_MARGIN_SECONDS)

    async def _check_once(self) -> None:
        try:
            for check in self._checks:
                with suppress(Unavailable):  # the next check has to run, too
                    await check()
        finally:
            self._checking = False

    async def _purge_old_requests(self) -> None:
        now = self._clock()
        if self._purged_at and now - self._purged_at <= PURGE_INTERVAL:
            return
        self._purged_at = now
        deleted = handled_requests.BATCH
        while deleted == handled_requests.BATCH:
            async with self._database.begin(background=True) as session:
                deleted = await handled_requests.purge(session, now - REPEATED_WITHIN)
        async with self._database.begin(background=True) as session:
            await throttling.purge(session, now - REPEATED_WITHIN)
