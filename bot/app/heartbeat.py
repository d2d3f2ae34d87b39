"""Tells others that the bot works: a call to HEARTBEAT_URL, and a line after an absence.

How long the bot was away is known from the database, where any worker writes each minute that it
can serve. So a machine that was off, a lost connection and an unreachable database all count.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from bot.app.health import Health
from bot.core.errors import Unavailable
from bot.slack import Slack, SlackRefused
from bot.views.blocks import Message
from bot.views.returned import returned_message
from storage import arrivals, thread_leases
from storage.database import Conflict, Database

log = logging.getLogger(__name__)

INTERVAL = timedelta(minutes=1)
# Shorter absences are restarts, of which nobody has to hear.
ABSENCE = timedelta(minutes=5)


@dataclass(slots=True)
class Returned:
    """A line that has to be posted: when, and whether it may have arrived already."""

    message: Message
    at: datetime
    tried: bool = False


class Heartbeat:
    """A check that beats; `health` decides whether all is well."""

    def __init__(
        self,
        *,
        health: Health,
        database: Database,
        slack: Slack,
        http: httpx.AsyncClient,
        channel: str,
        url: str | None,
        clock: Callable[[], datetime],
    ) -> None:
        """Take what it tells: the engineering `channel`, and the `url` of a dead man's switch."""
        self._health, self._database, self._slack = health, database, slack
        self._http, self._channel, self._url = http, channel, url
        self._clock = clock
        self._beat_at: datetime | None = None
        self._was_away = True  # until the first beat, and whenever this process couldn't serve
        self._behind = 0  # threads, before the first sweep
        self._returned: Returned | None = None

    async def start(self) -> None:
        """Count what was left behind, before anything is caught up."""
        with suppress(Unavailable):
            self._behind = await self._backlog()

    async def look(self) -> None:
        """Beat, at most once in INTERVAL."""
        now = self._clock()
        if self._beat_at and timedelta(0) <= now - self._beat_at < INTERVAL:
            return
        if await self._health.causes():
            self._was_away = True
            return  # looked at again with the next sweep
        self._beat_at = now
        away_since = await self._record(now)
        if away_since and self._was_away:
            message = returned_message(away_since, now, self._behind, await self._backlog())
            self._returned = Returned(message, now)
        self._was_away, self._behind = False, 0
        await self._post_returned()
        if self._url and not self._health.warnings:
            await self._call(self._url)

    async def _record(self, now: datetime) -> datetime | None:
        """Write down that all is well; if this worker ends an absence, return when it began."""
        try:
            async with self._database.begin(background=True) as session:
                last = await arrivals.move(session, arrivals.WELL, now)
        except Conflict:  # another worker has just made the row
            return None
        return last if last and now - last > ABSENCE else None

    async def _backlog(self) -> int:
        async with self._database.begin(write=False, background=True) as session:
            return await thread_leases.backlog(session)

    async def _post_returned(self) -> None:
        """Post the line, unless an earlier try arrived; it is tried again with the next beat."""
        if (line := self._returned) is None:
            return
        try:
            found = line.tried and await self._slack.find(self._channel, line.message, line.at)
            line.tried = True
            if not found:
                await self._slack.post(self._channel, line.message)
        except SlackRefused as error:  # /readyz tells of a lost engineering channel
            log.warning("not told that the bot is back", extra={"reason": str(error)})
        except Unavailable:
            return
        self._returned = None

    async def _call(self, url: str) -> None:
        try:
            answer = await self._http.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:  # its text could quote the address
            log.warning("HEARTBEAT_URL wasn't reached", extra={"reason": type(error).__name__})
            return
        if answer.is_error:
            log.warning("HEARTBEAT_URL refused", extra={"status": answer.status_code})
