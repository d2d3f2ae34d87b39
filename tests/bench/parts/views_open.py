"""From a press until its `views.open` reaches Slack: a trigger expires after three seconds."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from sandbox.scripted_people import opened
from tests.bench.bench import Bench
from tests.bench.figures import P99_TOLERANCE, Figure, percentile
from tests.bench.stage import begin, running_platforms

PAUSE_SECONDS = 0.03
AIM = 10.0


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """Open and close the same window again and again, round after round."""
    presses = bench.rounds(quick=5, usual=30, long=100)
    with bench.databases() as urls:
        found = {name: await _rounds(bench, url, presses) for name, url in urls.items()}
    for percent, aim in ((50, None), (99, AIM)):
        for name, rounds in found.items():
            yield Figure(
                what=f"press → `views.open` at Slack, p{percent}",
                where=name,
                unit="ms",
                rounds=tuple(percentile(values, percent) * 1000 for values in rounds),
                aim=aim,
                tolerance=P99_TOLERANCE,
            )


async def _rounds(bench: Bench, url: str, presses: int) -> list[list[float]]:
    rounds: list[list[float]] = []
    async with running_platforms(bench.directory()) as platforms:
        stage = await platforms.stage(await platforms.start("bot", url))
        await begin(stage)
        slack, admin, arrived = stage.slack, stage.admin, list[float]()
        message = await slack.until(lambda: slack.message(stage.client_channel, "step:1"))

        async def gate(moment: str, method: str, _arguments: Mapping[str, Any]) -> bool:
            if (moment, method) == ("arrived", "views.open"):
                arrived.append(asyncio.get_running_loop().time())
            return True

        slack.guard(gate)
        for number in range(-1, bench.rounds(quick=1, usual=3, long=5)):
            took = []
            for _ in range(presses if number >= 0 else 5):
                await admin.press(message, "step_help")
                await opened(stage, admin, "ask_for_help")
                took.append(arrived[-1] - slack.deliveries[-1].sent_at)
                assert admin.view
                await admin.close(admin.view)
                await asyncio.sleep(PAUSE_SECONDS)
            if number >= 0:
                rounds.append(took)
            await bench.calibrate()
    return rounds
