"""Samples of a bot process over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, func, select
from sqlmodel import col

from sandbox.bot_process import BotProcess
from sandbox.slack import SlackSandbox
from sandbox.slack.delivery import Delivery
from storage.tables import OnboardingRow
from tests.bench.processes import memory, open_files

LAG_BUCKETS, TASKS = "onboarding_loop_lag_seconds_bucket", "onboarding_tasks"

Histogram = Mapping[float, float]  # counts by upper bound in seconds


class Sample(NamedTuple):
    """One sample of the process; counts are since the previous sample."""

    at: float
    phase: str
    memory: float  # MB
    files: int
    tasks: int
    behind: int  # threads that don't show the newest state
    lag_p99: float  # seconds, or a little less
    acks: Sequence[float]  # seconds
    missed: int
    calls: int
    refused: int


@dataclass
class Samples:
    """All samples of a bot process."""

    slack: SlackSandbox
    bot: BotProcess
    session: aiohttp.ClientSession
    database: Engine
    taken: list[Sample] = field(default_factory=list)
    _lags: Histogram = field(default_factory=dict)
    _deliveries: int = 0
    _calls: int = 0

    async def take(self, at: float, phase: str) -> Sample:
        """Sample the process, and what has happened since the previous sample."""
        async with self.session.get(self.bot.url("/metrics")) as response:
            tasks, lags = read(await response.text())
        deliveries = self.slack.deliveries[self._deliveries :]
        calls = self.slack.calls[self._calls :]
        before, self._lags = self._lags, lags
        self._deliveries += len(deliveries)
        self._calls += len(calls)
        sample = Sample(
            at=at,
            phase=phase,
            memory=memory(self.bot.pid),
            files=open_files(self.bot.pid),
            tasks=tasks,
            behind=self._behind(),
            lag_p99=p99(before, lags),
            acks=[delivery.seconds for delivery in deliveries],
            missed=sum(map(_is_missed, deliveries)),
            calls=len(calls),
            refused=sum(call.answer.get("error") == "ratelimited" for call in calls),
        )
        self.taken.append(sample)
        return sample

    def _behind(self) -> int:
        row = OnboardingRow
        unpublished = col(row.revision) > col(row.published_revision)
        with self.database.connect() as connection:
            query = select(func.count()).select_from(row).where(unpublished)
            return connection.execute(query).scalar_one()


def _is_missed(delivery: Delivery) -> bool:
    """Whether a request was lost; Slack redelivers events that the bot asks for again."""
    ack, is_event = delivery.ack, delivery.outgoing.kind == "events_api"
    is_wanted_again = is_event and ack.status == HTTPStatus.SERVICE_UNAVAILABLE
    return not ack.ok and not is_wanted_again


def read(metrics: str) -> tuple[int, Histogram]:
    """Return the tasks and the lags of the event loop from the text of `GET /metrics`."""
    tasks, lags = 0, dict[float, float]()
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name == TASKS:
                tasks = int(sample.value)
            elif sample.name == LAG_BUCKETS:
                lags[float(sample.labels["le"])] = sample.value
    return tasks, lags


def p99(before: Histogram, after: Histogram) -> float:
    """Return the bucket that holds the 99th percentile of what came between two samples."""
    new = {bound: count - before.get(bound, 0.0) for bound, count in sorted(after.items())}
    total = max(new.values(), default=0.0)
    return next((bound for bound, count in new.items() if count >= 0.99 * total), 0.0)
