"""Posts the weekly digest in the engineering channel once, regardless of the number of workers."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.onboarding.overview import Overview, Stall
from bot.onboarding.reporting import report_on
from bot.onboarding.reporting.weekly import Weekly
from bot.onboarding.targets import risk_of
from bot.publishing.notices import Notices
from bot.slack import Slack, SlackRefused
from bot.views.blocks import Message
from bot.views.digest import digest_message, digest_slot
from storage import notices, status
from storage.database import Database
from storage.reporting import cases

log = logging.getLogger(__name__)

WEEK = timedelta(days=7)
RETRY_AFTER = timedelta(minutes=5)


class Digest:
    def __init__(
        self,
        *,
        slack: Slack,
        database: Database,
        notices: Notices,
        clock: Callable[[], datetime],
        at: Weekly | None,
        stall: Stall,
    ) -> None:
        """`at` is in the time zone of `stall`; None: never."""
        self._slack, self._database = slack, database
        self._notices, self._clock = notices, clock
        self._at, self._stall = at, stall
        self._over: date | None = None  # the last day for which everything is done
        self._not_before: datetime | None = None

    async def look(self) -> None:
        """Post the digest if it is due today and nobody has."""
        now = self._clock()
        day = self._at.due(now, ZoneInfo(self._stall.timezone)) if self._at else None
        waits = self._not_before is not None and now < self._not_before
        if day is None or day == self._over or waits:
            return
        try:
            if await self._post(day, now):
                self._over = day
        except SlackRefused as error:  # /readyz reports a lost engineering channel
            self._not_before = now + RETRY_AFTER
            log.warning("the weekly digest wasn't posted", extra={"reason": str(error)})

    async def _post(self, day: date, now: datetime) -> bool:
        """Post it; False if another worker is about to."""
        name = digest_slot(day)
        if await self._notices.posted(name):
            return True
        if not await self._notices.claim(name):  # no need to compute it twice
            return False
        message = await self._message(day, now)
        if message is None:
            await self._notices.forget(name)
            return True
        await self._notices.post(name, message)
        async with self._database.begin() as session:
            await notices.drop(session, digest_slot(day - WEEK))
        return True

    async def _message(self, day: date, now: datetime) -> Message | None:
        found = await cases(self._database, now - WEEK, now)
        waiting, quiet, late = list[Overview](), list[Overview](), list[Overview]()
        async for lines in status.running(self._database):
            for line in lines:
                if not isinstance(line, Overview):
                    continue
                if line.waits_for_us:
                    waiting.append(line)
                elif self._stall.applies_to(line, now):
                    quiet.append(line)
                elif risk_of(line, now, self._stall.timezone):
                    late.append(line)
        week = await asyncio.to_thread(report_on, found, now - WEEK, now)
        return digest_message(day, week, waiting, quiet, late, self._slack.identity.url)
