"""Makes a thread easy to find: its first message is pinned, and bookmarked in the channel.

Neither is essential, so neither delays a thread: both are done in the background, and a final error
(missing scope, no right to pin, too many pins) is not retried.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bot.core.errors import OnboardingError, Unavailable
from bot.core.mrkdwn import permalink
from bot.onboarding import Onboarding, Status
from bot.slack import TIMEOUT_SECONDS, NotNow, Slack, SlackRefused
from storage import posted_messages
from storage.database import Conflict, Database
from storage.posted_messages import LEFTOVER, LONG_AGO, Posted

log = logging.getLogger(__name__)

PIN, BOOKMARK = posted_messages.PIN_SLOTS
# A claim of this age was left behind by a worker that died.
CLAIM_EXPIRES = timedelta(seconds=3 * TIMEOUT_SECONDS)
DONE = "done"
# After an unknown error, try again on later changes, up to this many times in total.
ATTEMPTS = 3


class Pins:
    """Pins and bookmarks, each once per thread; the message table records which are there."""

    def __init__(self, slack: Slack, database: Database) -> None:
        self._slack, self._database = slack, database

    def missing(self, onboarding: Onboarding, timestamps: Mapping[str, str]) -> bool:
        """Whether a thread lacks its pin or bookmark, by the timestamps of its slots."""
        running = onboarding.status in (Status.ACTIVE, Status.PAUSED) and not onboarding.loss
        return running and any(slot not in timestamps for slot in (PIN, BOOKMARK))

    async def add(self, onboarding: Onboarding, root_ts: str) -> None:
        """Pin and bookmark a thread. What fails now is tried again on the next change."""
        for slot in (PIN, BOOKMARK):
            try:
                await self._add(onboarding, slot, root_ts)
            except OnboardingError as error:
                extra = {"onboarding": onboarding.id, "slot": slot, "reason": str(error)}
                log.info("cannot pin or bookmark a thread yet", extra=extra)

    async def _add(self, onboarding: Onboarding, slot: str, root_ts: str) -> None:
        known = await self._claim(onboarding.id, slot)
        if known is None:
            return
        try:
            await self._call(onboarding, slot, root_ts, known)
            result = Posted(slot, root_ts, DONE, None)
        except NotNow:  # it is certain that it wasn't done
            await self._record(onboarding.id, known)
            raise
        except Unavailable:
            await self._record(onboarding.id, replace(known, posting_since=LONG_AGO))
            raise
        except SlackRefused as error:
            tries = int(known.digest or 0) + 1
            extra = {"onboarding": onboarding.id, "slot": slot, "code": error.code, "tries": tries}
            log.info("cannot pin or bookmark a thread", extra=extra)
            result = replace(known, digest=str(tries))
            if error.is_final or tries >= ATTEMPTS:
                result = Posted(slot, root_ts, error.code, None)
        await self._record(onboarding.id, result)

    async def _call(self, onboarding: Onboarding, slot: str, root_ts: str, known: Posted) -> None:
        channel = onboarding.channel
        if slot == PIN:
            await self._slack.pin(channel, root_ts)
            return
        title = f"{onboarding.guide.platform} setup ({onboarding.client_name})"
        link = self._link(channel, root_ts)
        existing = await self._slack.bookmarks(channel) if known.posting_since else {}
        if link in existing:
            return
        for former in await self._former_links(onboarding) if existing else ():
            if former in existing:
                await self._slack.edit_bookmark(channel, existing[former], title, link)
                return
        await self._slack.add_bookmark(channel, title, link)

    async def _former_links(self, onboarding: Onboarding) -> Iterator[str]:
        """Return the links to deleted threads, so that their bookmark can be replaced."""
        async with self._database.begin(write=False, background=True) as session:
            posted = await posted_messages.by_slot(session, onboarding.id)
        deleted = (slot.removeprefix(LEFTOVER) for slot in posted if slot.startswith(LEFTOVER))
        return (self._link(onboarding.channel, ts) for ts in deleted)

    def _link(self, channel: str, root_ts: str) -> str:
        return permalink(self._slack.identity.url, channel, root_ts, root_ts)

    async def _claim(self, onboarding_id: str, slot: str) -> Posted | None:
        """Record that this is about to be done, and return what was known before.

        None: it is already done, or another worker is doing it.
        """
        with suppress(Conflict):
            async with self._database.begin(background=True) as session:
                known = await posted_messages.get(session, onboarding_id, slot)
                if known and known.ts:
                    return None
                claimed = await posted_messages.claim(
                    session, onboarding_id, slot, known, CLAIM_EXPIRES
                )
                if claimed:
                    return known or Posted(slot, None, None, None)
        return None

    async def _record(self, onboarding_id: str, result: Posted) -> None:
        async with self._database.begin(background=True) as session:
            await posted_messages.save(session, onboarding_id, [result], known={result.slot})
