"""Makes a thread easy to find again: its first message is pinned, and bookmarked in the channel.

Neither is needed, so neither holds up a thread: it is tried beside the publishing, and a refusal
(no such scope, no right to pin, too many pins) is taken once and for all.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.core.errors import OnboardingError, Unavailable
from bot.core.mrkdwn import permalink
from bot.onboarding import Onboarding, Status
from bot.slack import TIMEOUT_SECONDS, Bookmark, NotNow, Slack, SlackRefused
from storage import publishing
from storage.database import Conflict, Database
from storage.publishing import LEFTOVER, LONG_AGO, Posted

log = logging.getLogger(__name__)

PIN, BOOKMARK = publishing.PIN_SLOTS
# Who began this long ago and has not written down the end is not at it any more.
PATIENCE = timedelta(seconds=3 * TIMEOUT_SECONDS)
DONE = "done"
# A refusal that we do not know is tried again at the next changes, so often in all.
TRIES = 3


class Pins:
    """Pins and bookmarks, each once per thread; the table of messages knows which are there."""

    def __init__(self, slack: Slack, database: Database) -> None:
        """Take Slack, and where to write down what is there."""
        self._slack, self._database = slack, database

    def missing(self, onboarding: Onboarding, timestamps: Mapping[str, str]) -> bool:
        """Whether there is something left to do for a thread that stands; by the ts of slots."""
        running = onboarding.status in (Status.ACTIVE, Status.PAUSED) and not onboarding.loss
        return running and any(slot not in timestamps for slot in (PIN, BOOKMARK))

    async def add(self, onboarding: Onboarding, root_ts: str) -> None:
        """Pin and bookmark the thread. What does not work now is tried at the next change."""
        for slot in (PIN, BOOKMARK):
            try:
                await self._add(onboarding, slot, root_ts)
            except OnboardingError as error:
                extra = {"onboarding": onboarding.id, "slot": slot, "reason": str(error)}
                log.info("a thread is not easy to find yet", extra=extra)

    async def _add(self, onboarding: Onboarding, slot: str, root_ts: str) -> None:
        try:
            known = await self._claim(onboarding.id, slot)
        except Conflict:  # another worker is at it
            return
        if known is None:
            return
        try:
            await self._call(onboarding, slot, root_ts, known)
            news = Posted(slot, root_ts, DONE, None)
        except NotNow:  # this one was certainly not carried out
            await self._record(onboarding.id, known)
            raise
        except Unavailable:
            await self._record(onboarding.id, replace(known, posting_since=LONG_AGO))
            raise
        except SlackRefused as error:
            tries = int(known.digest or 0) + 1
            extra = {"onboarding": onboarding.id, "slot": slot, "code": error.code, "tries": tries}
            log.info("a thread cannot be made easy to find", extra=extra)
            news = replace(known, digest=str(tries))
            if error.is_final or tries >= TRIES:
                news = Posted(slot, root_ts, error.code, None)
        await self._record(onboarding.id, news)

    async def _call(self, onboarding: Onboarding, slot: str, root_ts: str, known: Posted) -> None:
        channel = onboarding.channel
        if slot == PIN:
            await self._slack.pin(channel, root_ts)
            return
        bookmark = self._bookmark(onboarding, root_ts)
        there = await self._slack.bookmarks(channel) if known.posting_since else {}
        if bookmark.link in there:
            return
        for link in await self._former_links(onboarding) if there else ():
            if link in there:
                await self._slack.edit_bookmark(channel, there[link], bookmark)
                return
        await self._slack.add_bookmark(channel, bookmark)

    async def _former_links(self, onboarding: Onboarding) -> Iterator[str]:
        """Return the links to threads that were deleted: a bookmark there leads nowhere."""
        async with self._database.begin(write=False, background=True) as session:
            posted = await publishing.messages(session, onboarding.id)
        gone = (one.removeprefix(LEFTOVER) for one in posted if one.startswith(LEFTOVER))
        return (self._bookmark(onboarding, ts).link for ts in gone)

    def _bookmark(self, onboarding: Onboarding, root_ts: str) -> Bookmark:
        url = self._slack.identity.url
        address = permalink(url, onboarding.channel, root_ts, root_ts)
        return Bookmark(f"{onboarding.client_name}: {onboarding.guide.title}", address)

    async def _claim(self, onboarding_id: str, slot: str) -> Posted | None:
        """Write down that this is about to be done, and return what was known before.

        None: it is done, or somebody is at it.
        """
        async with self._database.begin(background=True) as session:
            known = await publishing.message(session, onboarding_id, slot)
            if known and known.ts:
                return None
            if not await publishing.claim_message(session, onboarding_id, slot, known, PATIENCE):
                return None
        return known or Posted(slot, None, None, None)

    async def _record(self, onboarding_id: str, news: Posted) -> None:
        async with self._database.begin(background=True) as session:
            await publishing.write_down(session, onboarding_id, [news], known={news.slot})
