"""Publishes the app's Home, and updates it while engineers may be looking at it.

Slack says when someone opens their Home, but not when they leave it. So the people who opened it
recently are stored, for all workers, and their Homes are published again when an onboarding
changes: at most every few seconds, and only if they would look different.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from bot.core.background import BackgroundTasks
from bot.core.errors import OnboardingError, Unavailable
from bot.onboarding import Overview
from bot.onboarding.overview import Stall
from bot.onboarding.people import Person
from bot.onboarding.targets import risk_of
from bot.slack import RateLimited, Slack, SlackRefused
from bot.slack.directory import Directory
from bot.views.home import Board, board_view, digest_of, outsiders_view
from storage import homes
from storage.database import Conflict, Database
from storage.homes import Shown

log = logging.getLogger(__name__)

# How long somebody who opened their Home may still be looking at it.
LOOKING_FOR = timedelta(minutes=15)
# How often a Home is updated: less often if more people look, because views.publish is Tier 4, 100
# calls a minute for all of them.
EVERY, EVERY_PER_PERSON = timedelta(seconds=3), timedelta(seconds=1)
RETRY_AFTER = timedelta(seconds=30)
MOST_LOOKING = 30
MOST_READ = 200


class HomePublisher:
    def __init__(
        self,
        *,
        slack: Slack,
        database: Database,
        directory: Directory,
        tasks: BackgroundTasks,
        clock: Callable[[], datetime],
        stall: Stall,
    ) -> None:
        self._slack, self._database = slack, database
        self._directory, self._tasks, self._clock = directory, tasks, clock
        self._stall = stall
        self._updating = False
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0  # by the event loop's clock

    def open(self, user_id: str, shows: str | None = None) -> None:
        """Show somebody their Home, in the background; `shows` is what they chose to see."""
        self._tasks.spawn(self._open(user_id, shows), "show a Home")

    def changed(self) -> None:
        """Update the Homes that somebody may be looking at; calls are coalesced."""
        self._update_in(0.0)

    async def _open(self, user_id: str, shows: str | None) -> None:
        try:
            person = await self._directory.membership(Person(user_id, ""))
            if not person.home or not person.organizations:
                return  # Slack shows the Home only within the app's own organization
            if not person.engineer:
                await self._slack.publish_home(
                    user_id, outsiders_view(self._database.guides.default)
                )
                return
            now, filtered = self._clock(), shows or ""
            with suppress(Conflict):  # another worker has the same event
                async with self._database.begin(background=True) as session:
                    await homes.purge(session, now - LOOKING_FOR)
                    filtered = await homes.remember(session, user_id, now, shows)
            await self._show(Shown(user_id, None, filtered), every=None)
        except OnboardingError as error:  # they can open it again
            log.warning("cannot show a Home", extra={"reason": str(error)})

    async def _update(self) -> None:
        try:
            await self._update_all()
        except Unavailable as error:
            log.warning("cannot update Homes", extra={"reason": str(error)})
        finally:
            self._updating = False

    async def _update_all(self) -> None:
        now = self._clock()
        async with self._database.begin(write=False, background=True) as session:
            looking = await homes.opened_since(session, now - LOOKING_FOR, MOST_LOOKING)
        every = max(EVERY, len(looking) * EVERY_PER_PERSON)
        for shown in looking:
            try:
                if not await self._directory.is_engineer(shown.user_id):
                    await self._drop(shown.user_id)
                elif not await self._show(shown, every=every):
                    self._update_in(every.total_seconds())
            except RateLimited as error:
                self._update_in(error.seconds)
            except SlackRefused as error:  # most likely not_enabled
                log.warning("cannot publish a Home", extra={"reason": str(error)})
                await self._drop(shown.user_id)
            except OnboardingError as error:
                log.warning("cannot update a Home", extra={"reason": str(error)})
                self._update_in(RETRY_AFTER.total_seconds())

    async def _drop(self, user_id: str) -> None:
        async with self._database.begin(background=True) as session:
            await homes.drop(session, user_id)

    async def _show(self, shown: Shown, *, every: timedelta | None) -> bool:
        """Publish a Home if it would look different; False if that was done within `every`."""
        async with self._database.begin(background=True) as session:
            claimed = await homes.claim(session, shown.user_id, every)
        if claimed is None:
            return False
        now = self._clock()
        async with self._database.begin(write=False, background=True) as session:
            lines, count = await homes.board(session, shown.user_id, MOST_READ, shown.shows)
            readable = [line for line in lines if isinstance(line, Overview)]
            asked = [line.id for line in readable if line.open_questions]
            questions = await homes.open_questions(session, asked) if asked else {}
        stalled = {line.id for line in readable if self._stall.applies_to(line, now)}
        url = self._slack.identity.url
        zone = self._stall.timezone
        risks = {line.id: risk for line in readable if (risk := risk_of(line, now, zone))}
        board = Board(shown.user_id, lines, count, stalled, now, url, questions, shown.shows, risks)
        await asyncio.sleep(0)  # reading and writing a large board takes milliseconds each
        view = board_view(board)
        if (digest := digest_of(view)) == shown.digest:
            return True
        await self._slack.publish_home(shown.user_id, view)
        async with self._database.begin(background=True) as session:
            if not await homes.record(session, shown.user_id, claimed, digest):
                # Another worker has published since, and it's unknown which Home Slack shows.
                await homes.forget_digest(session, shown.user_id)
                self._update_in(EVERY.total_seconds())
        return True

    def _update_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        at = max(loop.time() + seconds, self._not_before)
        if self._timer:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = loop.call_at(at, self._start_update)

    def _start_update(self) -> None:
        self._timer = None
        self._not_before = asyncio.get_running_loop().time() + EVERY.total_seconds()
        if self._updating:
            self._update_in(0.0)
            return
        self._updating = True
        self._tasks.spawn(self._update(), "update Homes")
