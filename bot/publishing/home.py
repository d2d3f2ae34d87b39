"""Keeps the app's Home level while engineers may be looking at it.

Slack tells when somebody opens their Home, and never when they leave it. So who has opened it
lately is written down, for all workers, and gets it published anew when an onboarding changes: at
most every few seconds, and only if what stands there would be another.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core.background import BackgroundTasks
from bot.core.errors import OnboardingError, Unavailable
from bot.onboarding import Overview, Status
from bot.onboarding.business_time import calendar_of
from bot.onboarding.people import Person
from bot.slack import RateLimited, Slack, SlackRefused
from bot.slack.directory import Directory
from bot.views.home import Board, board_view, digest_of, outsiders_view
from storage import homes
from storage.database import Conflict, Database
from storage.guides import GuideStore
from storage.homes import Shown

log = logging.getLogger(__name__)

# How long somebody who has opened their Home may still be looking at it.
LOOKING_FOR = timedelta(minutes=15)
# No Home is published more often by itself, and the less often the more people look: views.publish
# is Tier 4, 100 a minute for all of them.
EVERY, EVERY_PER_PERSON = timedelta(seconds=3), timedelta(seconds=1)
# After an outage, when nothing changes meanwhile.
AGAIN = timedelta(seconds=30)
MOST_LOOKING = 30
MOST_READ = 200


class HomePublisher:
    """Publishes Homes; `tasks` own its work."""

    def __init__(
        self,
        slack: Slack,
        database: Database,
        guides: GuideStore,
        directory: Directory,
        tasks: BackgroundTasks,
        clock: Callable[[], datetime],
        *,
        stalled_after: timedelta,
        timezone: str,
    ) -> None:
        """Take what it works with, and after how much business time without activity one is stuck.

        `timezone` counts for clients whose own is not known.
        """
        self._slack, self._database, self._guides = slack, database, guides
        self._directory, self._tasks, self._clock = directory, tasks, clock
        self._stalled_after, self._timezone = stalled_after, timezone
        self._busy, self._again = False, False
        self._timer: asyncio.TimerHandle | None = None

    def open(self, user_id: str) -> None:
        """Show somebody their Home, soon."""
        self._tasks.spawn(self._open(user_id), "show a Home")

    def changed(self) -> None:
        """Bring level the Homes that somebody may be looking at; calls are coalesced."""
        if self._busy:
            self._again = True
            return
        self._busy = True
        self._tasks.spawn(self._level(), "bring Homes level")

    async def _open(self, user_id: str) -> None:
        try:
            known = await self._directory.membership(Person(user_id, ""))
            if not known.home or not known.organizations:
                return  # to people of other organizations Slack shows nothing of it anyway
            if not known.engineer:
                await self._slack.publish_home(user_id, outsiders_view(self._guides.newest))
                return
            await self._remember(user_id)
            await self._show(Shown(user_id, None), every=None)
        except OnboardingError as error:  # they open it again
            log.warning("a Home could not be shown", extra={"reason": str(error)})

    async def _remember(self, user_id: str) -> None:
        now = self._clock()
        try:
            async with self._database.begin(background=True) as session:
                await homes.forget(session, now - LOOKING_FOR)
                await homes.remember(session, user_id, now)
        except Conflict:  # another worker has the same event
            return

    async def _level(self) -> None:
        try:
            while True:
                self._again = False
                await self._level_all()
                if not self._again:
                    return
        except Unavailable as error:
            log.warning("Homes could not be brought level", extra={"reason": str(error)})
        finally:
            self._busy = False

    async def _level_all(self) -> None:
        now = self._clock()
        async with self._database.begin(write=False, background=True) as session:
            looking = await homes.opened_since(session, now - LOOKING_FOR, MOST_LOOKING)
        every = max(EVERY, len(looking) * EVERY_PER_PERSON)
        for shown in looking:
            try:
                if not await self._is_engineer(shown.user_id):
                    await self._drop(shown.user_id)
                elif not await self._show(shown, every=every):
                    self._later(every.total_seconds())
            except RateLimited as error:
                self._later(error.seconds)
            except SlackRefused as error:  # not_enabled, above all
                log.warning("a Home is given up", extra={"reason": str(error)})
                await self._drop(shown.user_id)
            except OnboardingError as error:
                log.warning("a Home could not be brought level", extra={"reason": str(error)})
                self._later(AGAIN.total_seconds())

    async def _drop(self, user_id: str) -> None:
        async with self._database.begin(background=True) as session:
            await homes.drop(session, user_id)

    async def _is_engineer(self, user_id: str) -> bool:
        return await self._directory.is_engineer(user_id)

    async def _show(self, shown: Shown, *, every: timedelta | None) -> bool:
        """Publish a Home, if it would be another; False if that was done within `every`."""
        async with self._database.begin(background=True) as session:
            claimed = await homes.claim(session, shown.user_id, every)
        if claimed is None:
            return False
        now = self._clock()
        async with self._database.begin(write=False, background=True) as session:
            lines, count = await homes.board(session, self._guides, shown.user_id, MOST_READ)
        readable = [line for line in lines if isinstance(line, Overview)]
        stalled = {line.id for line in readable if self._is_stalled(line, now)}
        url = self._slack.identity.url
        board = Board(shown.user_id, lines, count, stalled, now, url)
        view = board_view(board)
        if (digest := digest_of(view)) == shown.digest:
            return True
        await self._slack.publish_home(shown.user_id, view)
        async with self._database.begin(background=True) as session:
            if not await homes.record(session, shown.user_id, claimed, digest):
                # Somebody else has published meanwhile, and which came last is not known.
                await homes.forget_digest(session, shown.user_id)
                self._later(EVERY.total_seconds())
        return True

    def _is_stalled(self, line: Overview, now: datetime) -> bool:
        if line.status is not Status.ACTIVE:
            return False
        calendar = calendar_of(line.timezone, self._timezone)
        return calendar.elapsed(line.active_at, now) >= self._stalled_after

    def _later(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._now)

    def _now(self) -> None:
        self._timer = None
        self.changed()
