"""Notices in the engineering channel: each is posted once, despite restarts and other workers."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.slack import Slack, SlackRefused
from bot.views.blocks import Message
from storage import notices
from storage.database import Conflict, Database

log = logging.getLogger(__name__)

# A claim of this age was left behind by a worker that died.
CLAIM_EXPIRES = timedelta(minutes=1)
# How long to wait with a notice that the channel refused.
RETRY_AFTER = timedelta(minutes=5)


class Notices:
    """Posts notices, each once under its own name."""

    def __init__(
        self, *, slack: Slack, database: Database, channel: str, clock: Callable[[], datetime]
    ) -> None:
        self._slack, self._database = slack, database
        self._channel, self._clock = channel, clock
        # By name: when we claimed it, and since when it may have been posted.
        self._claims: dict[str, tuple[datetime, datetime]] = {}
        self._not_before: dict[str, datetime] = {}  # of refused notices, by name

    async def posted(self, name: str) -> str | None:
        """Return the ts of a notice; None if it wasn't posted."""
        async with self._database.begin(write=False, background=True) as session:
            known = await notices.get(session, name)
        return known.ts if known else None

    async def post(
        self, name: str, compose: Callable[[datetime], Awaitable[Message | None]]
    ) -> str | None:
        """Post what `compose` returns, unless that was done; return the ts of the notice.

        `compose` takes the time of the first attempt. If it returns None, there is nothing to post,
        and the ts is empty. None: another worker is posting it, or the channel refuses.
        """
        if ts := await self.posted(name):
            return ts
        now = self._clock()
        if name in self._not_before and now < self._not_before[name]:
            return None
        since = await self._claim(name, now)
        if since is None:
            return None
        message = await compose(since)
        if message is None:
            await self.forget(name)
            return ""
        try:
            ts = await self._slack.find(self._channel, message, since) if since < now else None
            ts = ts or await self._slack.post(self._channel, message)
        except SlackRefused as error:  # /readyz reports a lost engineering channel
            self._not_before[name] = now + RETRY_AFTER
            log.warning("a notice wasn't posted", extra={"notice": name, "reason": str(error)})
            return None
        async with self._database.begin() as session:
            await notices.record(session, name, ts)
        return ts

    async def _claim(self, name: str, now: datetime) -> datetime | None:
        """Return since when we may have posted it; None if another worker claimed or posted it."""
        try:
            async with self._database.begin() as session:
                known = await notices.get(session, name)
                if known is None:
                    await notices.claim(session, name, now)
                    self._claims[name] = now, now
                    return now
                claimed_at, since = self._claims.get(name, (None, known.since))
                is_ours = claimed_at == known.since
                if known.ts or not (is_ours or now - known.since > CLAIM_EXPIRES):
                    return None
                if not await notices.take_over(session, name, known.since, now):
                    return None
                # Our first attempt may have succeeded, also if looking for it failed since then.
                since = since if is_ours else known.since
                self._claims[name] = now, since
                return since
        except Conflict:  # another worker claimed it at the same time
            return None

    def ask_again(self) -> None:
        """Stop waiting with what the channel refused: it has changed."""
        self._not_before.clear()

    async def forget(self, name: str) -> None:
        """Forget a notice, so that it can be posted again."""
        self._claims.pop(name, None)
        self._not_before.pop(name, None)
        async with self._database.begin() as session:
            await notices.drop(session, name)
