"""Checks that run in the background, a little at a time, and show up as warnings at /readyz.

`look` checks; `warning` returns from memory what was found.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from bot.core.errors import OnboardingError, Unavailable
from bot.slack import Slack
from storage import credentials, leases, onboardings
from storage.database import Database
from storage.key_rotation import KeyReport
from storage.vault import Slot, Vault

log = logging.getLogger(__name__)

# A difference that matters for the times in the history and for pauses. Leases use the database's
# clock (storage/leases.py).
MAX_CLOCK_DIFFERENCE = timedelta(seconds=1)
ASK_SLACK_INTERVAL = timedelta(minutes=1)
# How many values are decrypted at once: few enough not to delay anything else.
VALUES_PER_LOOK = 100
# How many onboardings are read at once, each with its steps and events.
ROWS_PER_LOOK = 10


class TokenCheck:
    """Whether Slack still accepts our token."""

    def __init__(self, slack: Slack, clock: Callable[[], datetime]) -> None:
        self._slack, self._clock = slack, clock
        self._asked_at = clock()
        self._problem: str | None = None

    def warning(self) -> str | None:
        """Return what Slack last answered, unless all is well."""
        # Until then each request asks for itself, so this process can still serve.
        return self._problem if self._slack.cached_identity else "has not answered since the start"

    async def look(self) -> None:
        if self._clock() - self._asked_at < ASK_SLACK_INTERVAL:
            return
        self._asked_at = self._clock()
        try:
            await self._slack.identify()
        except OnboardingError as error:
            self._problem = str(error)
        else:
            self._problem = None


class RowCheck:
    """Whether every onboarding can be read; each look continues where the last one ended.

    `Database.unreadable` collects those that can't be. They are looked at each time, as someone
    may have repaired them.
    """

    def __init__(self, database: Database, on_readable: Callable[[str], None]) -> None:
        self._database, self._on_readable = database, on_readable
        self._last = ""

    async def look(self) -> None:
        bad = self._database.unreadable.ids[:ROWS_PER_LOOK]
        async with self._database.begin(write=False, background=True) as session:
            page = await onboardings.ids_after(session, self._last, ROWS_PER_LOOK)
        self._last = page[-1] if len(page) == ROWS_PER_LOOK else ""
        for onboarding_id in dict.fromkeys([*bad, *page]):
            async with self._database.begin(write=False, background=True) as session:
                readable = await onboardings.can_be_read(session, onboarding_id)
            if readable and onboarding_id in bad:
                self._on_readable(onboarding_id)


class ValueCheck:
    """Whether every stored value can be decrypted; each look continues where the last one ended."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault
        self._last: Slot | None = None
        self._current, self._complete = KeyReport(), KeyReport()

    def warning(self) -> str | None:
        """Return which values cannot be read, found in the last full round or in this one."""
        lines = dict.fromkeys([*self._current.problems, *self._complete.problems])
        return "; ".join(lines) or None

    async def look(self) -> None:
        async with self._database.begin(write=False, background=True) as session:
            page = await credentials.sealed_after(session, self._last, VALUES_PER_LOOK)
        for sealed in page:
            self._current.add(sealed, self._vault)
        if len(page) == VALUES_PER_LOOK:
            self._last = page[-1].place
        else:
            self._complete, self._current, self._last = self._current, KeyReport(), None


class ClockCheck:
    """Whether this machine's clock agrees with the database's, and so with other workers'."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._ahead = timedelta(0)

    def warning(self) -> str | None:
        if abs(self._ahead) < MAX_CLOCK_DIFFERENCE:
            return None
        direction = "ahead of" if self._ahead > timedelta(0) else "behind"
        return f"{abs(self._ahead).total_seconds():.0f} s {direction} the database's"

    async def look(self) -> None:
        with suppress(Unavailable):
            before, self._ahead = self.warning(), await leases.ahead(self._database, self._clock)
            if self.warning() and not before:
                log.warning("%s: set this machine's clock (NTP)", self.warning())
