"""What comes from Slack, and what claims to: a wrong signing secret or a silent Slack is noticed.

Nothing of a request is kept but when it came.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.metrics import Metrics
from storage import arrivals
from storage.database import Conflict, Database

log = logging.getLogger(__name__)

# The log gets one line in this time, and the database one write.
EVERY = timedelta(minutes=1)
# For so long /readyz warns of what was refused.
RECENT = timedelta(minutes=10)
# So many commands, presses and forms without any event are no accident.
ENOUGH = 3
# A process that has heard nothing for so long since its start was perhaps never reached.
SILENCE = timedelta(minutes=10)

TRY_IT = "type “/servicetitan help” in Slack"


class Kind(StrEnum):
    """What came."""

    REQUEST = "request"  # of any kind, with the right signature
    EVENT = "event"  # one of these requests
    WRONG = "wrong_signature"
    STALE = "stale"  # signed for another time than this machine's
    UNSIGNED = "unsigned"  # a stranger's: nothing follows from it


ADVICE = {
    Kind.WRONG: (
        "with a wrong signature",
        "if they are Slack's, SLACK_SIGNING_SECRET is wrong: copy it again from “Basic "
        "Information” of the app, and restart",
    ),
    Kind.STALE: (
        "signed more than five minutes before or after this machine's time",
        "set this machine's clock (NTP)",
    ),
}


class Arrivals:
    """Notes what comes; a check that `/readyz` shows, and that looks into the database."""

    def __init__(self, database: Database, metrics: Metrics, clock: Callable[[], datetime]) -> None:
        """Begin without any."""
        self._database, self._metrics, self._clock = database, metrics, clock
        self._began = clock()
        self._last: dict[str, datetime] = {}  # here, and as far as known elsewhere
        self._written: dict[str, datetime] = {}
        self._written_at: datetime | None = None
        self._requests = 0  # that were no events
        self._untold: Counter[Kind] = Counter()
        self._told_at: dict[Kind, datetime] = {}

    def came(self, *, event: bool) -> None:
        """Note a request with the right signature, over HTTP or Socket Mode."""
        now = self._clock()
        self._last[Kind.REQUEST] = now
        if event:
            self._last[Kind.EVENT] = now
        else:
            self._requests += 1

    def refused(self, kind: Kind) -> None:
        """Note a request that is not Slack's, or not taken for it."""
        self._metrics.turned_away(kind)
        if kind is not Kind.UNSIGNED:
            self._last[kind] = self._clock()
            self._untold[kind] += 1
            self._tell(kind)

    def _tell(self, kind: Kind) -> None:
        now, count = self._clock(), self._untold[kind]
        told_at = self._told_at.get(kind)
        if count and (told_at is None or now - told_at >= EVERY):
            what, advice = ADVICE[kind]
            log.warning("requests %s: %d; %s", what, count, advice)
            self._told_at[kind] = now
            self._untold[kind] = 0

    def warning(self) -> str | None:
        """Say what is amiss with what comes from Slack, and when anything last came."""
        now = self._clock()
        for kind, (what, advice) in ADVICE.items():
            at = self._last.get(kind)
            # A right one since then shows that the secret, or the clock, is right.
            if at and now - at <= RECENT and self._last.get(Kind.REQUEST, self._began) <= at:
                return f"requests {what} came, {_ago(at, now)}; {advice}. {seen(self._last, now)}"
        if Kind.REQUEST not in self._last and now - self._began >= SILENCE:
            return f"{seen(self._last, now)}; {TRY_IT}"
        if Kind.EVENT not in self._last and self._requests >= ENOUGH:
            return f"{seen(self._last, now)}; {VERIFY}"
        return None

    async def look(self) -> None:
        """Write down what is new, at most once a minute, and read what others have heard."""
        for kind in ADVICE:
            self._tell(kind)
        now = self._clock()
        new = {kind: at for kind, at in self._last.items() if self._written.get(kind) != at}
        if new and (self._written_at is None or now - self._written_at >= EVERY):
            self._written_at = now
            try:
                async with self._database.begin(background=True) as session:
                    await arrivals.note(session, new)
            except Conflict:  # another worker has just made the row: next time
                return
            self._written |= new
        async with self._database.begin(write=False, background=True) as session:
            stored = await arrivals.last(session)
        for name, stored_at in stored.items():
            if name not in self._last or self._last[name] < stored_at:
                self._last[name] = self._written[name] = stored_at


VERIFY = (
    "commands and buttons work without it: verify the Request URL under “Event Subscriptions” of "
    "the app, or compare its events with manifest.yml"
)


def seen(last: Mapping[str, datetime], now: datetime) -> str:
    """Say when the last request and the last event came from Slack."""
    request, event = last.get(Kind.REQUEST), last.get(Kind.EVENT)
    return (
        f"last request from Slack: {_ago(request, now) if request else 'never'}, "
        f"last event: {_ago(event, now) if event else 'never'}"
    )


def _ago(at: datetime, now: datetime) -> str:
    minutes = max(0, round((now - at).total_seconds() / 60))
    if minutes < 1:
        return "less than a minute ago"
    if minutes < 120:
        return f"{minutes} minutes ago"
    return f"{at:%Y-%m-%d %H:%M} UTC"
