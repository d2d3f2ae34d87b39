"""Warns in the engineering channel when people outside HeavySet can read it."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core.background import BackgroundTasks
from bot.core.errors import Unavailable
from bot.slack import Slack, SlackRefused
from bot.views.shared_channel import shared_channel_message
from storage import notices
from storage.database import Conflict, Database

log = logging.getLogger(__name__)

SHARED = "engineering_channel_shared"
# A claim of this age was left behind by a worker that died.
CLAIM_EXPIRES = timedelta(minutes=1)
LONGEST_PAUSE_SECONDS = 60


class EngineeringChannel:
    """Checks the channel at the start, and when Slack says that it is shared or no longer is."""

    def __init__(
        self,
        *,
        slack: Slack,
        database: Database,
        channel: str,
        tasks: BackgroundTasks,
        clock: Callable[[], datetime],
    ) -> None:
        self._slack, self._database = slack, database
        self._channel, self._tasks, self._clock = channel, tasks, clock
        self._claimed_at: datetime | None = None

    def check_soon(self) -> None:
        """Check in the background, and again until Slack and the database answer."""
        self._tasks.spawn(self._check_until_answered(), "check the engineering channel")

    async def _check_until_answered(self) -> None:
        pause = 1
        while True:
            try:
                return await self._check()
            except SlackRefused as error:  # /readyz and doctor report a lost channel
                log.info("cannot check the engineering channel", extra={"why": str(error)})
                return None
            except Unavailable as error:
                log.info("cannot check the engineering channel", extra={"why": str(error)})
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _check(self) -> None:
        if not (await self._slack.channel(self._channel)).is_shared:
            await self._forget()
            return
        log.warning(
            "the engineering channel is shared with another organization, which reads clients' "
            "names and questions there: unshare it, or set ENGINEERING_CHANNEL to another"
        )
        since = await self._claim()
        if since is None:
            return
        message = shared_channel_message(since)
        # After a crash or a lost response it may be there already.
        ts = await self._slack.find(self._channel, message, since)
        ts = ts or await self._slack.post(self._channel, message)
        async with self._database.begin() as session:
            await notices.record(session, SHARED, ts)

    async def _forget(self) -> None:
        """Forget the notice, so that it is posted again if the channel is shared again."""
        self._claimed_at = None
        async with self._database.begin(write=False) as session:
            known = await notices.get(session, SHARED)
        if known:
            async with self._database.begin() as session:
                await notices.drop(session, SHARED)

    async def _claim(self) -> datetime | None:
        """Return since when we may have posted the notice, None if another worker has it."""
        now = self._clock()
        try:
            async with self._database.begin() as session:
                known = await notices.get(session, SHARED)
                if known is None:
                    await notices.claim(session, SHARED, now)
                    self._claimed_at = now
                    return now
                is_ours = known.since == self._claimed_at
                if known.ts or not (is_ours or now - known.since > CLAIM_EXPIRES):
                    return None
                if not await notices.take_over(session, SHARED, known.since, now):
                    return None
                self._claimed_at = now
                return known.since
        except Conflict:  # another worker claimed it at the same time
            return None
