"""Notices in the engineering channel: each is posted once, despite restarts and other workers."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.slack import Slack
from bot.views.blocks import Message
from storage import notices
from storage.database import Conflict, Database

# A claim of this age was left behind by a worker that died.
CLAIM_EXPIRES = timedelta(minutes=1)


class Notices:
    """Posts notices, each under its own name: after `claim`, `post` it or `forget` it."""

    def __init__(
        self, *, slack: Slack, database: Database, channel: str, clock: Callable[[], datetime]
    ) -> None:
        self._slack, self._database = slack, database
        self._channel, self._clock = channel, clock
        # By name: when we claimed it, and since when it may have been posted, if so.
        self._claims: dict[str, tuple[datetime, datetime | None]] = {}

    async def posted(self, name: str) -> str | None:
        """Return the ts of a notice; None if it wasn't posted."""
        async with self._database.begin(write=False, background=True) as session:
            known = await notices.get(session, name)
        return known.ts if known else None

    async def claim(self, name: str) -> datetime | None:
        """Return since when we may have posted it; None if another worker claimed or posted it."""
        now = self._clock()
        try:
            async with self._database.begin() as session:
                known = await notices.get(session, name)
                if known is None:
                    await notices.claim(session, name, now)
                    self._claims[name] = now, None
                    return now
                claimed_at, since = self._claims.get(name, (None, None))
                is_ours = claimed_at == known.since
                if known.ts or not (is_ours or now - known.since > CLAIM_EXPIRES):
                    return None
                if not await notices.take_over(session, name, known.since, now):
                    return None
                # Our first attempt may have succeeded, also if looking for it failed since then.
                since = since if is_ours and since else known.since
                self._claims[name] = now, since
                return since
        except Conflict:  # another worker claimed it at the same time
            return None

    async def post(self, name: str, message: Message) -> str:
        """Post what was claimed, unless it is already there; return its ts."""
        _, since = self._claims[name]
        ts = await self._slack.find(self._channel, message, since) if since else None
        ts = ts or await self._slack.post(self._channel, message)
        async with self._database.begin() as session:
            await notices.record(session, name, ts)
        return ts

    async def forget(self, name: str) -> None:
        """Forget a notice, so that it can be posted again."""
        self._claims.pop(name, None)
        async with self._database.begin() as session:
            await notices.drop(session, name)
