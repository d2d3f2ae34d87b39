"""Gauges about the onboardings, read from the database once a minute for `GET /metrics`."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.app.request_monitor import Kind, RequestMonitor
from bot.core.metrics import Metrics
from bot.onboarding import Status
from bot.onboarding.overview import Stall
from storage import figures
from storage.column_types import Illegible
from storage.database import Database
from storage.figures import Running
from storage.session import Session
from storage.unreadable_rows import Unknown

INTERVAL = timedelta(minutes=1)
PAUSE_SECONDS = 0.1  # between two batches, so that people's requests get a turn
STATUSES = set(Status)
ENDED = (Status.COMPLETED, Status.CANCELLED)
UNKNOWN = "unknown"  # a status, or a phase, that this release does not know


class Gauges:
    """Reads the database along with the health checks, but never warns."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        database: Database,
        requests: RequestMonitor,
        clock: Callable[[], datetime],
        stall: Stall,
    ) -> None:
        self._database, self._clock = database, clock
        self._stall = stall
        self._read_at: datetime | None = None
        self._onboardings = metrics.gauge(
            "onboarding_onboardings",
            "Onboardings by status, and by phase while they run",
            ["status", "phase"],
        )
        self._stalled = metrics.gauge(
            "onboarding_stalled", "Active onboardings without activity for ESCALATE_AFTER"
        )
        self._questions = metrics.gauge(
            "onboarding_open_questions", "Clients' questions that nobody has answered yet"
        )
        self._credentials = metrics.gauge(
            "onboarding_credentials", "Stored credentials by the key that encrypts them", ["key"]
        )
        self._lag = metrics.gauge(
            "onboarding_publish_lag_seconds", "Since the oldest change that Slack doesn't show yet"
        )
        since = metrics.gauge(
            "onboarding_last_request_age_seconds", "Since Slack's last request, or event", ["kind"]
        )
        since.labels("request").set_function(lambda: self._age(requests.last(Kind.REQUEST)))
        since.labels("event").set_function(lambda: self._age(requests.last(Kind.EVENT)))

    async def look(self) -> None:
        now = self._clock()
        if self._read_at and timedelta(0) <= now - self._read_at < INTERVAL:
            return
        self._read_at = now
        await self._count(now)
        async with self._database.begin(write=False, background=True) as session:
            credentials = await figures.credentials_by_key(session)
            since = await figures.unpublished_since(session) or now
        self._credentials.clear()
        for key, count in credentials.items():
            self._credentials.labels(key).set(count)
        self._lag.set(max(0.0, (now - since).total_seconds()))

    async def _count(self, now: datetime) -> None:
        counts: Counter[tuple[str, str]] = Counter({(status, ""): 0 for status in ENDED})
        stalled = questions = 0
        async with self._database.begin(write=False, background=True) as session:
            for status, count in (await figures.ended(session)).items():
                counts[status if status in STATUSES else UNKNOWN, ""] += count
        last = None
        while True:
            async with self._database.begin(write=False, background=True) as session:
                batch = await figures.running(session, last)
                for last in batch:
                    counts[last.status, await self._phase(session, last)] += 1
                    stalled += self._is_stalled(last, now)
                    questions += last.open_questions
            if len(batch) < figures.BATCH:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        self._onboardings.clear()
        for labels, count in counts.items():
            self._onboardings.labels(*labels).set(count)
        self._questions.set(questions)
        self._stalled.set(stalled)

    async def _phase(self, session: Session, one: Running) -> str:
        try:
            guide = await session.database.guides.get(session, one.guide, one.guide_version)
            return str(guide.phase_of(one.current_step).number) if one.current_step else UNKNOWN
        except (Unknown, KeyError):
            return UNKNOWN

    def _is_stalled(self, one: Running, now: datetime) -> bool:
        if isinstance(one.active_at, Illegible):
            return False
        return self._stall.applies(one.status, one.active_at, one.timezone, now)

    def _age(self, at: datetime | None) -> float:
        return (self._clock() - at).total_seconds() if at else math.nan
