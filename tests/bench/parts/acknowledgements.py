"""From a request to its acknowledgement, beside the empty stock app; then with a core kept busy."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import NamedTuple

from tests.bench.bench import Bench
from tests.bench.figures import (
    P50_TOLERANCE,
    P99_TOLERANCE,
    Figure,
    p50_and_p99,
    percentile,
)
from tests.bench.load import Load
from tests.bench.processes import busy_core, memory
from tests.bench.requests import Templates, captured
from tests.bench.stage import Platforms, running_platforms
from tests.bench.targets import Target

STOCK = "stock"
# Seconds per round, by requests per second.
QUIET_RATES, BUSY_RATES = {10: 3.0, 50: 3.0}, {50: 3.0}
WARM_UP = 20
FORM_CLIENTS = 60
AGO = timedelta(hours=1)  # each client does one step after a long pause
AIMS = {"*Done*": (0.45, 0.8), "a form with a credential": (0.6, 1.0)}
BUSY_AIM = 1.5  # times the ratio of the quiet machine
MEMORY_AIM = 2.3


class Series(NamedTuple):
    """Rounds of the same measurement."""

    app: str
    what: str
    rate: int
    busy: bool


Seconds = dict[Series, list[list[float]]]  # of each round


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """Send every kind of request to every app in turn, round after round."""
    rounds = bench.rounds(quick=1, usual=3, long=8)
    with bench.databases() as urls:
        async with running_platforms(bench.directory()) as platforms, Load() as load:
            bots = [Target(name, url) for name, url in urls.items()]
            for bot in bots:
                await bot.populate(platforms, _presses(rounds), AGO, FORM_CLIENTS)
                bot.app = await platforms.start(bot.name, bot.url)
            stock = Target(STOCK, "", bots[0].walking, bots[0].entering)
            stock.app = await platforms.start_stock()
            assert bots[0].app
            templates = await captured(platforms, bots[0].app)
            run = _Run(bench, platforms, load, templates, [stock, *bots])
            found: Seconds = defaultdict(list)
            await run.round(found, {50: WARM_UP / 50}, busy=False)
            found.clear()
            for _ in range(rounds):
                await run.round(found, QUIET_RATES, busy=False)
            for _ in range(min(rounds, 2)):
                await run.round(found, BUSY_RATES, busy=True)
            for figure in _figures(found, list(urls)):
                yield figure
            for bot in bots:
                assert bot.app
                yield Figure(
                    what="memory after all of these",
                    where=bot.name,
                    unit="MB",
                    rounds=(memory(bot.app.pid),),
                    against=(memory(stock.app.pid),),
                    aim=MEMORY_AIM,
                )
            for bot in bots:
                bot.check()


def _presses(rounds: int) -> int:
    seconds = [*QUIET_RATES.items(), *BUSY_RATES.items()]
    return WARM_UP + rounds * sum(int(rate * lasting) for rate, lasting in seconds)


class _Run(NamedTuple):
    bench: Bench
    platforms: Platforms
    load: Load
    templates: Templates
    targets: Sequence[Target]

    async def round(self, found: Seconds, rates: dict[int, float], *, busy: bool) -> None:
        secret = self.platforms.slack.signing_secret
        for what in AIMS:
            for rate, seconds in rates.items():
                for target in self.targets:
                    make = target.done if what == "*Done*" else target.form
                    bodies = list(make(self.templates, int(rate * seconds)))
                    assert target.app
                    with busy_core() if busy else nullcontext():
                        took = await self.load.send(target.app.events_url, secret, bodies, rate)
                    found[Series(target.name, what, rate, busy)].append(took)
                    await target.settle(self.platforms)
                await self.bench.calibrate()


def _figures(found: Seconds, names: Sequence[str]) -> Iterator[Figure]:
    for what, aims in AIMS.items():
        for rate in QUIET_RATES:
            for name in names:
                bot, stock = Series(name, what, rate, False), Series(STOCK, what, rate, False)
                title = f"{what}, {rate} a second"
                yield from p50_and_p99(title, name, found[bot], found[stock], aims)
    for what in AIMS:
        for rate in BUSY_RATES:
            for name in names:
                yield from _beside_a_busy_core(found, what, rate, name)


def _beside_a_busy_core(found: Seconds, what: str, rate: int, name: str) -> Iterator[Figure]:
    """The ratio to the equally slowed stock app, as a multiple of the quiet ratio."""
    for percent, tolerance in ((50, P50_TOLERANCE), (99, P99_TOLERANCE)):
        quiet_ratios, busy_ratios = (
            [
                percentile(bot, percent) / percentile(stock, percent)
                for bot, stock in zip(
                    found[Series(name, what, rate, busy)],
                    found[Series(STOCK, what, rate, busy)],
                    strict=True,
                )
            ]
            for busy in (False, True)
        )
        yield Figure(
            what=f"{what}, {rate} a second, one core busy, p{percent}",
            where=name,
            unit="× stock",
            rounds=tuple(busy_ratios),
            against=tuple(quiet_ratios),
            aim=BUSY_AIM,
            tolerance=tolerance,
        )
