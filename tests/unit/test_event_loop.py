"""How late the event loop is, as `GET /metrics` shows it."""

import asyncio
import re
import time

from bot.app.event_loop import INTERVAL_SECONDS, watch_event_loop
from bot.core.metrics import Metrics


async def test_what_blocks_the_loop_and_the_number_of_tasks_are_measured() -> None:
    metrics = Metrics()
    watching = asyncio.create_task(watch_event_loop(metrics))
    await asyncio.sleep(0)

    time.sleep(INTERVAL_SECONDS + 0.05)  # noqa: ASYNC251 (that is what is measured)
    await asyncio.sleep(0.01)

    assert _value(metrics, "onboarding_loop_lag_seconds_sum") >= 0.05
    assert _value(metrics, "onboarding_tasks") == 2  # this test and the watcher
    watching.cancel()


def _value(metrics: Metrics, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", metrics.text().decode(), re.MULTILINE)
    assert found, name
    return float(found[1])
