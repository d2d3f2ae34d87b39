"""How long a start takes until /readyz, and how much memory is used then and after work."""

import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from sandbox.bot_process import BotProcess
from tests.bench.figures import Figure
from tests.bench.stage import Platforms


async def measure(platforms: Platforms, urls: Mapping[str, str], rounds: int) -> list[Figure]:
    """Start each app in turn, and stop it."""
    names = {"stock": "", **urls}
    took: dict[str, list[float]] = {name: [] for name in names}
    used: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, url in names.items():
            began = time.perf_counter()
            app = await platforms.start(f"start-{name}", url)
            took[name].append(time.perf_counter() - began)
            used[name].append(memory(app))
            await app.stop()
    return [
        figure
        for name in urls
        for figure in (
            Figure(
                "start",
                f"start until ready, {name}",
                median(took[name]) * 1000,
                "ms",
                median(took["stock"]) * 1000,
            ),
            Figure(
                "start", f"memory at start, {name}", median(used[name]), "MB", median(used["stock"])
            ),
        )
    ]


def after_work(stock: BotProcess, bots: Mapping[str, tuple[BotProcess, str]]) -> list[Figure]:
    """Return how much memory the apps use by now."""
    return [
        Figure("start", f"memory after all of the above, {name}", memory(bot), "MB", memory(stock))
        for name, (bot, _) in bots.items()
    ]


def memory(app: BotProcess) -> float:
    """Return the resident memory of a process in MB, 0 where the system does not tell it."""
    try:
        status = Path(f"/proc/{app.pid}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return 0.0
    line = next(one for one in status.splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
