"""Event loop lag, as reported by `GET /metrics`."""

import asyncio
import re
import time

from bot.app.event_loop import INTERVAL_SECONDS, watch_event_loop
from bot.core.metrics import Metrics


async def test_event_loop_lag_and_task_count_are_measured() -> None:
    metrics = Metrics()
    watching = asyncio.create_task(watch_event_loop(metrics))
    await asyncio.sleep(0)

    time.sleep(INTERVAL_SECONDS + 0.05)  # noqa: ASYNC251 (blocks the loop on purpose)
    await asyncio.sleep(0.01)

    assert _value(metrics, "onboarding_loop_lag_seconds_sum") >= 0.05
    assert _value(metrics, "onboarding_tasks") == 2  # this test and the watcher
    watching.cancel()


def _value(metrics: Metrics, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", metrics.text().decode(), re.MULTILINE)
    assert found, name
    return float(found[1])
