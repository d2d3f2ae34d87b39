"""Posts the weekly digest in the engineering channel once, regardless of the number of workers."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot.onboarding.overview import Overview, Stall
from bot.onboarding.reporting import report_on
from bot.onboarding.reporting.weekly import Weekly
from bot.onboarding.targets import risk_of
from bot.publishing.notices import Notices
from bot.slack import Slack
from bot.views.blocks import Message
from bot.views.digest import digest_message, digest_slot
from storage import status
from storage.database import Database
from storage.reporting import cases

WEEK = timedelta(days=7)


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

    async def look(self) -> None:
        """Post the digest if it is due today and nobody has."""
        now = self._clock()
        day = self._at.due(now, ZoneInfo(self._stall.timezone)) if self._at else None
        if day is None or day == self._over:
            return
        if await self._notices.post(digest_slot(day), partial(self._message, day, now)) is None:
            return
        self._over = day
        await self._notices.forget(digest_slot(day - WEEK))

    async def _message(self, day: date, now: datetime, _since: datetime) -> Message | None:
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
