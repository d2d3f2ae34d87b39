"""Metrics for `GET /metrics` (Prometheus). No label contains a credential."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

# Slack waits three seconds for an acknowledgement.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 10)
LAG_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 3)


class Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.gauge = partial(Gauge, registry=self._registry)
        count = partial(Counter, registry=self._registry)
        time_ = partial(Histogram, buckets=BUCKETS, registry=self._registry)
        self.acknowledgements = time_(
            "onboarding_acknowledgement_seconds",
            "From one of Slack's requests to its acknowledgement",
            ["status"],
        )
        self.slack_calls = time_(
            "onboarding_slack_call_seconds", "Calls to Slack's Web API", ["method", "result"]
        )
        self.verifications = count(
            "onboarding_verifications", "Verifications by their outcome", ["outcome"]
        )
        self.turned_away = count(
            "onboarding_turned_away",
            "Connections and requests that were not Slack's, or malformed",
            ["reason"],
        )
        self.backlog = self.gauge(
            "onboarding_backlog",
            "Onboardings whose newest revision was not in Slack at the last sweep",
        )
        self.leases = self.gauge("onboarding_leases", "Threads that this worker is publishing")
        self.unreadable = self.gauge(
            "onboarding_unreadable", "Onboardings that this release cannot read, and skips"
        )
        self.tasks = self.gauge("onboarding_tasks", "Tasks in the event loop")
        self.loop_lag = time_(
            "onboarding_loop_lag_seconds",
            "How late the event loop runs what is due, measured ten times a second",
            buckets=LAG_BUCKETS,
        )
        self.warnings = self.gauge(
            "onboarding_warning", "1 while GET /readyz shows this warning", ["check"]
        )

    @contextmanager
    def slack_call(self, method: str) -> Iterator[None]:
        began, result = time.perf_counter(), "ok"
        try:
            yield
        except BaseException as error:
            result = type(error).__name__
            raise
        finally:
            self.slack_calls.labels(method, result).observe(time.perf_counter() - began)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
