"""Watches what arrives from Slack, to notice a wrong signing secret or a Slack that never calls.

Only the time of a request is kept.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.metrics import Metrics
from storage import arrivals
from storage.database import Database

log = logging.getLogger(__name__)

# At most one line in the log and one write to the database per kind and minute.
REPORT_INTERVAL = timedelta(minutes=1)
# How long /readyz warns of a rejected request.
RECENT = timedelta(minutes=10)
# After this many commands, presses and forms without an event, events probably don't reach us.
SUSPICIOUS_REQUESTS = 3
# If nothing arrives for this long after the start, Slack may be unable to reach this process.
SILENCE = timedelta(minutes=10)

TRY_IT = "type “/servicetitan help” in Slack"
VERIFY = (
    "commands and buttons work without it: verify the Request URL under “Event Subscriptions” of "
    "the app, or compare its events with manifest.yml"
)


class Kind(StrEnum):
    REQUEST = "request"  # any request with a valid signature
    EVENT = "event"  # a request with a valid signature that is an event
    WRONG = "wrong_signature"
    STALE = "stale"  # signed for another time than this machine's
    UNSIGNED = "unsigned"  # a stranger's: says nothing about our settings


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


class RequestMonitor:
    """Records when requests arrive, shares that through the database, and warns at /readyz."""

    def __init__(self, database: Database, metrics: Metrics, clock: Callable[[], datetime]) -> None:
        self._database, self._metrics, self._clock = database, metrics, clock
        self._started = clock()
        self._last: dict[str, datetime] = {}  # by this worker, and by others as far as known
        self._written_at: datetime | None = None
        self._non_events = 0
        self._unlogged: Counter[Kind] = Counter()
        self._logged_at: dict[Kind, datetime] = {}

    def accepted(self, *, event: bool) -> None:
        """Record a request with a valid signature, over HTTP or Socket Mode."""
        now = self._clock()
        self._last[Kind.REQUEST] = now
        if event:
            self._last[Kind.EVENT] = now
        else:
            self._non_events += 1

    def rejected(self, kind: Kind) -> None:
        """Record a request that is not, or not provably, Slack's."""
        self._metrics.turned_away.labels(kind).inc()
        if kind is not Kind.UNSIGNED:
            self._last[kind] = self._clock()
            self._unlogged[kind] += 1
            self._log_rejected(kind)

    def _log_rejected(self, kind: Kind) -> None:
        now, count = self._clock(), self._unlogged[kind]
        logged_at = self._logged_at.get(kind)
        if count and (logged_at is None or now - logged_at >= REPORT_INTERVAL):
            what, advice = ADVICE[kind]
            log.warning("requests %s: %d; %s", what, count, advice)
            self._logged_at[kind] = now
            self._unlogged[kind] = 0

    def last(self, kind: Kind) -> datetime | None:
        """Return when the last request of some kind arrived, at this worker or another."""
        return self._last.get(kind)

    def warning(self) -> str | None:
        """Return what is wrong with the requests, and when the last ones arrived."""
        now = self._clock()
        for kind, (what, advice) in ADVICE.items():
            at = self._last.get(kind)
            # A valid request since then shows that the secret, or the clock, is right.
            if at and now - at <= RECENT and self._last.get(Kind.REQUEST, self._started) <= at:
                return f"requests {what} arrived {_ago(at, now)}; {advice}. {seen(self._last, now)}"
        if Kind.REQUEST not in self._last and now - self._started >= SILENCE:
            return f"{seen(self._last, now)}; {TRY_IT}"
        if Kind.EVENT not in self._last and self._non_events >= SUSPICIOUS_REQUESTS:
            return f"{seen(self._last, now)}; {VERIFY}"
        return None

    async def look(self) -> None:
        """Read the arrivals at other workers, and store new ones, at most once a minute."""
        for kind in ADVICE:
            self._log_rejected(kind)
        now = self._clock()
        async with self._database.begin(write=False, background=True) as session:
            stored = await arrivals.last(session)
        new = {
            kind: at for kind, at in self._last.items() if kind not in stored or stored[kind] < at
        }
        self._last = {**stored, **new}
        if new and (self._written_at is None or now - self._written_at >= REPORT_INTERVAL):
            self._written_at = now
            async with self._database.begin(background=True) as session:
                await arrivals.record(session, new)


def seen(last: Mapping[str, datetime], now: datetime) -> str:
    """Return in words when the last request and the last event came from Slack."""
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
