"""The CPU time of one *Done* with all that follows, beside a stock listener with two calls."""

from collections.abc import AsyncIterator
from datetime import timedelta

from tests.bench.bench import Bench
from tests.bench.figures import Figure
from tests.bench.load import Load
from tests.bench.processes import cpu_seconds
from tests.bench.requests import captured
from tests.bench.stage import running_platforms
from tests.bench.targets import Target

RATE, CLIENTS, STEPS = 50, 40, 6  # so a client does a step every 0.8 seconds
STOCK = "stock, two calls"
AIMS = {"SQLite": 7.0, "PostgreSQL": 8.0}
JUST_NOW = timedelta()


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """Press in rounds, one app after the other."""
    rounds, count = bench.rounds(quick=1, usual=2, long=2), CLIENTS * STEPS
    with bench.databases() as urls:
        async with running_platforms(bench.directory()) as platforms, Load() as load:
            targets = [Target(name, url) for name, url in urls.items()]
            for target in targets:
                await target.populate(platforms, CLIENTS, JUST_NOW)
                target.app = await platforms.start(target.name, target.url)
            assert targets[0].app
            slack = platforms.slack
            templates = await captured(platforms, targets[0].app)
            stock = Target(
                STOCK, "", targets[0].walking, app=await platforms.start_stock("--calls")
            )
            found: dict[str, list[float]] = {target.name: [] for target in [*targets, stock]}
            for number in range(-1, rounds):
                for target in [*targets, stock]:
                    assert target.app
                    bodies = list(target.done(templates, CLIENTS if number < 0 else count))
                    before = cpu_seconds(target.app.pid)
                    await load.send(target.app.events_url, slack.signing_secret, bodies, RATE)
                    await target.settle(platforms)
                    if number >= 0:
                        used = cpu_seconds(target.app.pid) - before
                        found[target.name].append(1000 * used / count)
            calls = [*slack.calls_of("chat.postMessage"), *slack.calls_of("chat.update")]
            assert all(call.answer["ok"] for call in calls)
            for name, used_by in found.items():
                yield Figure(
                    what=f"CPU of a *Done*, {RATE} a second",
                    where=name,
                    unit="ms",
                    rounds=tuple(used_by),
                    aim=AIMS.get(name),
                )
            for target in targets:
                target.check()
