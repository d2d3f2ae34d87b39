"""How long a start takes until /readyz, and how much memory is used then, beside the stock app."""

import time
from collections.abc import AsyncIterator

from sandbox.bot_process import BotProcess
from tests.bench.bench import Bench
from tests.bench.figures import P50_TOLERANCE, Figure
from tests.bench.processes import memory
from tests.bench.stage import Platforms, running_platforms

STOCK = "stock"
START_AIM, MEMORY_AIM = 2.5, 2.0


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """Start each app in turn, and stop it."""
    with bench.databases() as urls:
        async with running_platforms(bench.directory()) as platforms:
            apps = {STOCK: "", **urls}
            took: dict[str, list[float]] = {name: [] for name in apps}
            used: dict[str, list[float]] = {name: [] for name in apps}
            for number in range(-1, bench.rounds(quick=1, usual=4, long=10)):
                for name, url in apps.items():
                    began = time.perf_counter()
                    app = await _started(platforms, name, url)
                    seconds, megabytes = time.perf_counter() - began, memory(app.pid)
                    await app.stop()
                    if number >= 0:  # the first one fills the system's caches
                        took[name].append(seconds * 1000)
                        used[name].append(megabytes)
                await bench.calibrate()
    for what, unit, found, aim, tolerance in (
        ("start until ready", "ms", took, START_AIM, P50_TOLERANCE),
        ("memory at the start", "MB", used, MEMORY_AIM, None),
    ):
        for name in urls:
            yield Figure(
                what=what,
                where=name,
                unit=unit,
                rounds=tuple(found[name]),
                against=tuple(found[STOCK]),
                aim=aim,
                tolerance=tolerance,
            )


async def _started(platforms: Platforms, name: str, url: str) -> BotProcess:
    return await (platforms.start(name, url) if url else platforms.start_stock())
