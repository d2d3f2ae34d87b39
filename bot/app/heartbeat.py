"""Shows that the bot works: a call to HEARTBEAT_URL, and a line in Slack after an absence.

Every minute in which a worker can serve, it writes the time into the database. A gap is an absence,
whether the machine was off, the connection was lost, or the database couldn't be reached.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import httpx
from pydantic import SecretStr

from bot.app.health import Health
from bot.core.errors import Unavailable
from bot.slack import Slack, SlackRefused
from bot.views.blocks import Message
from bot.views.engineering_channel import returned_message
from storage import arrivals, thread_leases
from storage.database import Conflict, Database

log = logging.getLogger(__name__)

INTERVAL = timedelta(minutes=1)
# Anything shorter is a restart, which nobody needs to hear about.
ABSENCE = timedelta(minutes=5)


class Heartbeat:
    """Beats while `health` has no complaints."""

    def __init__(
        self,
        *,
        health: Health,
        database: Database,
        slack: Slack,
        http: httpx.AsyncClient,
        channel: str,
        url: SecretStr | None,
        clock: Callable[[], datetime],
    ) -> None:
        """`channel` is the engineering channel; `url` is that of a dead man's switch."""
        self._health, self._database, self._slack = health, database, slack
        self._http, self._channel, self._url = http, channel, url
        self._clock = clock
        self._beat_at: datetime | None = None
        self._was_away = True  # until the first beat, and whenever this process couldn't serve
        self._behind = 0  # threads, before the first sweep
        # The line to post after an absence, and when that was first tried.
        self._returned: tuple[Message, datetime] | None = None

    async def start(self) -> None:
        """Count what was left behind, before the first sweep catches up on it."""
        with suppress(Unavailable):
            self._behind = await self._backlog()

    async def look(self) -> None:
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
            self._returned = message, now
        self._was_away, self._behind = False, 0
        await self._post_returned(now)
        if self._url and not self._health.warnings:
            await self._call(self._url.get_secret_value())

    async def _record(self, now: datetime) -> datetime | None:
        """Record that all is well; return when an absence began, if this ends one."""
        try:
            async with self._database.begin(background=True) as session:
                last = await arrivals.move(session, arrivals.WELL, now)
        except Conflict:  # another worker has just made the row
            return None
        return last if last and now - last > ABSENCE else None

    async def _backlog(self) -> int:
        async with self._database.begin(write=False, background=True) as session:
            return await thread_leases.backlog(session)

    async def _post_returned(self, now: datetime) -> None:
        """Post the line unless an earlier try arrived; after a failure, retry at the next beat."""
        if self._returned is None:
            return
        message, first_tried = self._returned
        is_retry = first_tried != now
        try:
            if not (is_retry and await self._slack.find(self._channel, message, first_tried)):
                await self._slack.post(self._channel, message)
        except SlackRefused as error:  # /readyz reports a lost engineering channel
            log.warning("could not say in Slack that the bot is back", extra={"reason": str(error)})
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
