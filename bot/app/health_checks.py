"""What is looked at in the background, a little at a time, to be shown as a warning."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from bot.core.errors import OnboardingError, Unavailable
from bot.slack import Slack
from storage import credentials, leases, onboardings
from storage.database import Database
from storage.guides import GuideStore
from storage.key_rotation import KeyReport
from storage.vault import Vault

log = logging.getLogger(__name__)

# A difference of clocks that matters: to when things are said to have happened, and to pauses.
# Leases go by the database's clock (storage/leases.py).
CLOCKS_DIFFER = timedelta(seconds=1)
ASK_SLACK_EVERY = timedelta(minutes=1)
# Values that are decrypted in one go: few enough that nobody notices.
VALUES_AT_ONCE = 100
# Onboardings that are read in one go, each with its steps and events.
ROWS_AT_ONCE = 10


class TokenCheck:
    """Whether Slack still takes our token."""

    def __init__(self, slack: Slack, clock: Callable[[], datetime]) -> None:
        """Take Slack, which the start asks first, and the time."""
        self._slack, self._clock = slack, clock
        self._asked_at = clock()
        self._problem: str | None = None

    def warning(self) -> str | None:
        """Return what Slack said when it was asked last, unless all is well."""
        # A request that comes before asks by itself, so this process can serve all the same.
        return self._problem if self._slack.cached_identity else "has not answered since the start"

    async def look(self) -> None:
        """Ask Slack, if that was long ago."""
        if self._clock() - self._asked_at < ASK_SLACK_EVERY:
            return
        self._asked_at = self._clock()
        try:
            await self._slack.identify()
        except OnboardingError as error:
            self._problem = str(error)
        else:
            self._problem = None


class RowCheck:
    """Whether every onboarding can be read: each look takes up where the last one ended.

    What could not be read is looked at again each time, as somebody may have repaired it.
    """

    def __init__(
        self, database: Database, guides: GuideStore, readable: Callable[[str], None]
    ) -> None:
        """Take where the rows are; `readable` is called with what can be read again."""
        self._database, self._guides, self._readable = database, guides, readable
        self._last = ""

    def warning(self) -> str | None:
        """Return which onboardings cannot be read."""
        return self._database.unreadable.warning()

    async def look(self) -> None:
        """Look at the next few onboardings."""
        bad = self._database.unreadable.ids[:ROWS_AT_ONCE]
        async with self._database.begin(write=False, background=True) as session:
            some = await onboardings.some_ids(session, self._last, ROWS_AT_ONCE)
        self._last = some[-1] if len(some) == ROWS_AT_ONCE else ""
        for onboarding_id in dict.fromkeys([*bad, *some]):
            async with self._database.begin(write=False, background=True) as session:
                is_whole = await onboardings.is_whole(session, self._guides, onboarding_id)
            if is_whole and onboarding_id in bad:
                self._readable(onboarding_id)


class ValueCheck:
    """Whether every stored value can be decrypted: each look takes up where the last one ended."""

    def __init__(self, database: Database, vault: Vault) -> None:
        """Take where the values are, and what opens them."""
        self._database, self._vault = database, vault
        self._last: tuple[str, str] | None = None
        self._round = KeyReport()
        self.report = KeyReport()  # of the last whole round

    def warning(self) -> str | None:
        """Return which values cannot be read, found in the last round or in this one."""
        lines = dict.fromkeys([*self._round.problems, *self.report.problems])
        return "; ".join(lines) or None

    async def look(self) -> None:
        """Look at the next few values."""
        async with self._database.begin(write=False, background=True) as session:
            some = await credentials.some_sealed(session, self._last, VALUES_AT_ONCE)
        for sealed in some:
            self._round.look_at(sealed, self._vault)
        if len(some) == VALUES_AT_ONCE:
            place = some[-1].place
            self._last = (place.onboarding_id, place.field)
        else:
            self.report, self._round, self._last = self._round, KeyReport(), None


class ClockCheck:
    """Whether this machine's clock shows what the database's does, and so other workers' too."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Take the database, and the time."""
        self._database, self._clock = database, clock
        self._ahead = timedelta(0)

    def warning(self) -> str | None:
        """Return how far the clocks differ, if that matters."""
        return clocks_differ(self._ahead)

    async def look(self) -> None:
        """Compare them."""
        with suppress(Unavailable):
            before, self._ahead = self.warning(), await leases.ahead(self._database, self._clock)
            if self.warning() and not before:
                log.warning("%s: set this machine's clock (NTP)", self.warning())


def clocks_differ(ahead: timedelta) -> str | None:
    """Say how far this machine's clock is ahead of the database's, if that matters."""
    if abs(ahead) < CLOCKS_DIFFER:
        return None
    way = "ahead of" if ahead > timedelta(0) else "behind"
    return f"{abs(ahead).total_seconds():.0f} s {way} the database's"
