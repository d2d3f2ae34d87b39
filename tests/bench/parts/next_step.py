"""From *Done* until the next step is visible, when each call to Slack takes 80 ms."""

import asyncio
import time
from collections.abc import AsyncIterator

from sandbox.scripted_people import next_step
from tests.bench.bench import Bench
from tests.bench.figures import P50_TOLERANCE, Figure
from tests.bench.stage import begin, running_platforms

CALL_MS = 80.0
PAUSE_SECONDS = 0.6
AIM = 1.15


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """Walk through the first steps, waiting each time until all is shown."""
    presses = bench.rounds(quick=3, usual=8, long=18)
    with bench.databases() as urls:
        for name, url in urls.items():
            yield Figure(
                what="*Done* → the next step visible, p50",
                where=name,
                unit="ms",
                rounds=tuple(await _seconds(bench, url, presses)),
                against=(CALL_MS,),
                aim=AIM,
                tolerance=P50_TOLERANCE,
            )


async def _seconds(bench: Bench, url: str, presses: int) -> list[float]:
    took = []
    async with running_platforms(bench.directory(), latency=CALL_MS / 1000) as platforms:
        stage = await platforms.stage(await platforms.start("bot", url))
        await begin(stage)
        slack, channel = stage.slack, stage.client_channel
        first = await slack.until(lambda: slack.message(channel, "step:1"))
        await stage.admin.press(first, "choose_account:new")
        for number in range(2, 2 + presses):
            _, message = await next_step(stage, after=number - 1)
            await asyncio.sleep(PAUSE_SECONDS)
            await bench.calibrate()
            began = time.perf_counter()
            await stage.admin.press(message, "step_done")
            await next_step(stage, after=number)
            took.append((time.perf_counter() - began) * 1000)
    return took
