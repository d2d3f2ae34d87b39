"""A notice that is posted once, despite restarts and regardless of the number of workers."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.slack import Slack
from bot.views.blocks import Message
from storage import notices
from storage.database import Conflict, Database

# A claim of this age was left behind by a worker that died.
CLAIM_EXPIRES = timedelta(minutes=1)


class OneTimeNotice:
    def __init__(
        self,
        name: str,
        channel: str,
        *,
        slack: Slack,
        database: Database,
        clock: Callable[[], datetime],
    ) -> None:
        self._name, self._channel = name, channel
        self._slack, self._database, self._clock = slack, database, clock
        self._claimed_at: datetime | None = None
        self._is_new = False  # it can't have been posted yet

    async def is_posted(self) -> bool:
        async with self._database.begin(write=False, background=True) as session:
            known = await notices.get(session, self._name)
        return known is not None and known.ts is not None

    async def claim(self) -> datetime | None:
        """Return since when we may have posted it; None if another worker claimed or posted it."""
        now = self._clock()
        try:
            async with self._database.begin() as session:
                known = await notices.get(session, self._name)
                if known is None:
                    await notices.claim(session, self._name, now)
                    self._claimed_at, self._is_new = now, True
                    return now
                is_ours = known.since == self._claimed_at
                if known.ts or not (is_ours or now - known.since > CLAIM_EXPIRES):
                    return None
                if not await notices.take_over(session, self._name, known.since, now):
                    return None
                self._claimed_at, self._is_new = now, False
                return known.since
        except Conflict:  # another worker claimed it at the same time
            return None

    async def post(self, message: Message, since: datetime) -> None:
        """Post what was claimed, unless it is already there after a crash or a lost response."""
        ts = None if self._is_new else await self._slack.find(self._channel, message, since)
        ts = ts or await self._slack.post(self._channel, message)
        async with self._database.begin() as session:
            await notices.record(session, self._name, ts)

    async def forget(self) -> None:
        """Forget it, so that it can be posted again."""
        self._claimed_at = None
        async with self._database.begin(write=False) as session:
            known = await notices.get(session, self._name)
        if known:
            async with self._database.begin() as session:
                await notices.drop(session, self._name)
