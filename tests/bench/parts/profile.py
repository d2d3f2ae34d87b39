"""Where the CPU time of one *Done* and of one form goes: the top tens of their flame graphs."""

import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from tests.bench import sampling
from tests.bench.bench import Bench
from tests.bench.figures import Figure
from tests.bench.load import Load
from tests.bench.processes import cpu_seconds
from tests.bench.requests import captured
from tests.bench.stage import Platforms, running_platforms
from tests.bench.targets import Target

RATE, CLIENTS = 50, 40
JUST_NOW = timedelta()
TOP = 10
OURS = ("bot.publishing", "bot.slack", "bot.use_cases", "bot.views", "handlers.", "storage.")


async def measure(bench: Bench) -> AsyncIterator[Figure | str]:
    """Send requests of each kind at a steady rate while samples are taken."""
    count = bench.rounds(quick=80, usual=240, long=600)
    with bench.databases() as urls:
        for name, url in urls.items():
            async with running_platforms(bench.directory()) as platforms:
                file = bench.root / f"profile-{name}.collapsed"
                used = await _profiled(platforms, name, url, file, count)
            for number, (what, seconds) in enumerate(used.items(), 1):
                stacks = sampling.read(file.with_name(f"{file.name}.{number}"))
                yield "\n".join(_tables(stacks, f"{what}, {name}", 1000 * seconds / count))


async def _profiled(
    platforms: Platforms, name: str, url: str, file: Path, count: int
) -> Mapping[str, float]:
    """Write the samples of `count` requests of each kind; return the CPU seconds they took."""
    target = Target(name, url)
    await target.populate(platforms, CLIENTS, JUST_NOW, CLIENTS)
    command = ("-m", "tests.bench.sampling", str(file), "bot", "run")
    app = target.app = await platforms.start(name, url, command)
    templates, secret = await captured(platforms, app), platforms.slack.signing_secret
    used: dict[str, float] = {}
    async with Load() as load:
        for what, requests in (("a *Done*", target.done), ("a form", target.form)):
            warming_up = list(requests(templates, CLIENTS))
            await load.send(app.events_url, secret, warming_up, RATE)
            await target.settle(platforms)
            os.kill(app.pid, signal.SIGUSR1)
            before = cpu_seconds(app.pid)
            await load.send(app.events_url, secret, list(requests(templates, count)), RATE)
            await target.settle(platforms)
            used[what] = cpu_seconds(app.pid) - before
            os.kill(app.pid, signal.SIGUSR2)
    await app.stop()  # then the files are complete
    return used


def _tables(stacks: sampling.Stacks, name: str, milliseconds: float) -> Iterator[str]:
    total = sum(stacks.values())
    yield f"{name}: {milliseconds:.1f} ms of CPU each, {total} samples"
    inside = {
        function: count
        for function, count in sampling.cumulative(stacks).items()
        if function.startswith(OURS)
    }
    own = sampling.own(stacks)
    for title, counts in (("by their own time", own), ("ours, with what they call", inside)):
        yield f"\n  {title}"
        for function, samples in Counter(counts).most_common(TOP):
            share = samples / total
            yield f"  {share:6.1%} {share * milliseconds:6.2f} ms  {function}"
