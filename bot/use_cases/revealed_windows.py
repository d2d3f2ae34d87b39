"""Hides a revealed credential again: the deadline is in the database, so any worker can do it.

A window is identified by our own external_id. It is recorded, with the deadline, before it shows a
value, so that even after a crash, no window that shows one is forgotten.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from bot.core.background import BackgroundTasks
from bot.core.errors import OnboardingError, Unavailable
from bot.onboarding import Onboarding
from bot.slack import Slack, SlackRefused
from bot.views.modals import hidden_modal
from storage import reveals
from storage.database import Database
from storage.session import Session

log = logging.getLogger(__name__)

WINDOW = "reveal-"  # our windows' external_id begins with this
# How long an engineer sees a stored value.
REVEALED_FOR = timedelta(seconds=60)
# The window is closed, so it shows nothing (docs.slack.dev, views.update: not_found).
CLOSED = {"not_found", "view_not_found"}
AGAIN = timedelta(minutes=1)  # after an error that isn't about the window
BATCH = 20


class Reveals:
    """The windows that show a credential now; `tasks` own the work."""

    def __init__(
        self,
        database: Database,
        slack: Slack,
        tasks: BackgroundTasks,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._slack, self._tasks, self._clock = database, slack, tasks, clock
        self._worker = uuid.uuid4().hex

    async def record(self, window: str, session: Session, _onboarding: Onboarding) -> None:
        """Record that a window is about to show a value, and until when."""
        await reveals.put(session, window, self._worker, self._clock() + REVEALED_FOR)

    def schedule(self) -> None:
        """Hide what was just recorded on time, without waiting for the sweep."""
        loop = asyncio.get_running_loop()
        loop.call_later(
            REVEALED_FOR.total_seconds(),
            lambda: self._tasks.spawn(self._swept(), "hide revealed values"),
        )

    async def sweep(self) -> None:
        """Hide what has been shown long enough, regardless of which worker showed it."""
        async with self._database.begin(write=False, background=True) as session:
            due = await reveals.due(session, self._clock(), BATCH)
        for window in due:
            await self._hide(window)

    async def hide_own(self, seconds: float) -> None:
        """Hide everything that this worker shows, at shutdown; other workers do the rest.

        Takes at most `seconds`.
        """
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(seconds):
                async with self._database.begin(write=False) as session:
                    own = await reveals.of_worker(session, self._worker)
                await asyncio.gather(*(self._hide(window) for window in own))

    async def _swept(self) -> None:
        with suppress(Unavailable):  # the next sweep does it
            await self.sweep()

    async def _hide(self, window: str) -> None:
        """Hide what a window shows, and forget the window.

        Slack then refuses a value that is still on its way: the window's hash has changed.
        """
        again: datetime | None = None
        try:
            await self._slack.update_view(hidden_modal(), external_id=window)
        except SlackRefused as error:
            if error.code not in CLOSED:
                log.error("values could not be hidden", extra={"reason": str(error)})
                again = self._clock() + AGAIN
        except OnboardingError as error:  # temporary; the deadline is unchanged
            log.warning("values could not be hidden yet", extra={"reason": str(error)})
            return
        async with self._database.begin(background=True) as session:
            if again:
                await reveals.put_off(session, window, again)
            else:
                await reveals.drop(session, window)
