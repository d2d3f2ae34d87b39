"""Metrics for `GET /metrics` (Prometheus). No label contains a credential."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Slack waits three seconds for an acknowledgement.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 10)


class Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._acknowledged = Histogram(
            "onboarding_acknowledgement_seconds",
            "From one of Slack's requests to its acknowledgement",
            ["status"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._slack_calls = Histogram(
            "onboarding_slack_call_seconds",
            "Calls to Slack's Web API",
            ["method", "result"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._verifications = Counter(
            "onboarding_verifications",
            "Verifications by their outcome",
            ["outcome"],
            registry=self._registry,
        )
        self._turned_away = Counter(
            "onboarding_turned_away",
            "Connections and requests that were not Slack's, or malformed",
            ["reason"],
            registry=self._registry,
        )
        self._backlog = Gauge(
            "onboarding_backlog",
            "Onboardings whose newest revision was not in Slack at the last sweep",
            registry=self._registry,
        )
        self._leases = Gauge(
            "onboarding_leases",
            "Threads that this worker is publishing",
            registry=self._registry,
        )
        self._unreadable = Gauge(
            "onboarding_unreadable",
            "Onboardings that this release cannot read, and skips",
            registry=self._registry,
        )
        self._warnings = Gauge(
            "onboarding_warning",
            "1 while GET /readyz shows this warning",
            ["check"],
            registry=self._registry,
        )

    def gauge(self, name: str, help_: str, labels: str = "") -> Gauge:
        """Return a gauge for the caller to set; `labels` are its label names, space-separated."""
        return Gauge(name, help_, labels.split(), registry=self._registry)

    def unreadable(self, count: Callable[[], int]) -> None:
        """Call `count` at each scrape for the number of unreadable onboardings."""
        self._unreadable.set_function(count)

    def watch(self, check: str, is_wrong: Callable[[], bool]) -> None:
        """Call `is_wrong` at each scrape for the warning called `check`."""
        self._warnings.labels(check).set_function(is_wrong)

    def acknowledged(self, status: int, seconds: float) -> None:
        """Count an acknowledgement."""
        self._acknowledged.labels(str(status)).observe(seconds)

    def turned_away(self, reason: str) -> None:
        """Count a connection that was closed, or a request that was refused unread or unsigned."""
        self._turned_away.labels(reason).inc()

    @contextmanager
    def slack_call(self, method: str) -> Iterator[None]:
        """Time a call to Slack."""
        began, result = time.perf_counter(), "ok"
        try:
            yield
        except BaseException as error:
            result = type(error).__name__
            raise
        finally:
            self._slack_calls.labels(method, result).observe(time.perf_counter() - began)

    def verified(self, outcome: str) -> None:
        """Count a verification."""
        self._verifications.labels(outcome).inc()

    def backlog(self, waiting: int) -> None:
        """Set how many onboardings wait to be published."""
        self._backlog.set(waiting)

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Count a lease while the block holds it."""
        with self._leases.track_inprogress():
            yield

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
