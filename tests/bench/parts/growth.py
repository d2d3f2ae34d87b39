"""What grows: 10,000 running and 10,000 finished onboardings against 100 in all."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from statistics import median
from typing import NamedTuple

import aiohttp

from sandbox.bot_process import BotProcess
from tests.bench import blocking
from tests.bench.bench import Bench
from tests.bench.figures import P50_TOLERANCE, Figure
from tests.bench.filling import add_finished, fill, size, write_templates
from tests.bench.stage import Platforms, running_platforms

SMALL, LARGE, VERY_LARGE = (50, 50), (10_000, 10_000), 100_000
AIM, NAME_AIM, BLOCKED_AIM = 1.5, 1.25, 20.0
IDLE_SECONDS = 11.0  # two sweeps
TIMEOUT_SECONDS = 15.0  # it counts as this long if it takes longer
RECORDED_BOT = ("-m", "tests.bench.blocking", "bot", "run")
NAME = "run14 7"
Action = Callable[[], Awaitable[object]]


class Side(NamedTuple):
    """One of two bots, whose databases differ in size."""

    bot: BotProcess
    platforms: Platforms
    session: aiohttp.ClientSession

    async def readyz(self) -> None:
        async with self.session.get(self.bot.url("/readyz")) as response:
            assert response.status == 200, await response.text()

    async def status(self, words: str) -> None:
        self.platforms.slack.deliver_to(self.bot.events_url)
        engineer, channel = self.platforms.engineer, self.platforms.engineering
        reply = await engineer.command(channel, "/servicetitan", f"status {words}".strip())
        assert reply.ack.ok, reply
        assert reply.blocks, reply

    async def home(self) -> None:
        self.platforms.slack.deliver_to(self.bot.events_url)
        await self._until_called("views.publish", self.platforms.engineer.open_home)

    async def report(self) -> None:
        self.platforms.slack.deliver_to(self.bot.events_url)
        engineer, channel = self.platforms.engineer, self.platforms.engineering
        await self._until_called(
            "views.update", lambda: engineer.command(channel, "/servicetitan", "report 30d")
        )
        assert engineer.view
        await engineer.close(engineer.view)

    async def _until_called(self, method: str, action: Action) -> None:
        slack = self.platforms.slack
        known = len(slack.calls_of(method))
        await action()
        with suppress(TimeoutError):
            await slack.until(lambda: len(slack.calls_of(method)) > known or None, TIMEOUT_SECONDS)


# What is asked, how often, and the aim for the ratio.
ACTIONS: dict[str, tuple[Callable[[Side], Awaitable[object]], int, float]] = {
    "`status NAME`": (lambda side: side.status(NAME), 15, NAME_AIM),
    "`status`": (lambda side: side.status(""), 15, AIM),
    "Home": (lambda side: side.home(), 5, AIM),
    "`/readyz`": (lambda side: side.readyz(), 100, AIM),
}


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """Ask two bots in turn, one with few onboardings and one with many."""
    with bench.databases() as few, bench.databases() as many:
        for name in few:
            async with running_platforms(bench.directory()) as platforms:
                async for figure in _compared(bench, platforms, name, few[name], many[name]):
                    yield figure


async def _compared(
    bench: Bench, platforms: Platforms, name: str, few: str, many: str
) -> AsyncIterator[Figure]:
    for url in (few, many):
        await write_templates(url, platforms)
    empty = size(many)
    await asyncio.to_thread(fill, few, *SMALL)
    running, finished = (500, 500) if bench.is_quick else LARGE
    await asyncio.to_thread(fill, many, 0, finished)
    each = (size(many) - empty) / finished
    await asyncio.to_thread(fill, many, running, 0)
    yield Figure(
        what="database per finished onboarding", where=name, unit="kB", rounds=(each / 1024,)
    )
    yield await _start(bench, platforms, name, few, many)
    async with aiohttp.ClientSession() as session:
        sides = [
            Side(await platforms.start(f"{name}-{number}", url, RECORDED_BOT), platforms, session)
            for number, url in enumerate((few, many))
        ]
        async for figure in _measured(bench, name, sides):
            yield figure
        if not bench.is_quick:
            await asyncio.to_thread(add_finished, many, running + finished, VERY_LARGE)
            what = f"`status NAME`, {VERY_LARGE:,} onboardings"
            action, times, aim = ACTIONS["`status NAME`"]
            yield _figure(what, name, await _alternately(sides, action, times), aim)
        # Last, as it may take long.
        reports = await _alternately(sides, lambda side: side.report(), 1)
        yield _figure("`report 30d`", name, reports, AIM)


async def _start(bench: Bench, platforms: Platforms, name: str, few: str, many: str) -> Figure:
    took: dict[str, list[float]] = {few: [], many: []}
    for _ in range(bench.rounds(quick=1, usual=3, long=6)):
        for url, times in took.items():
            began = time.perf_counter()
            bot = await platforms.start(f"{name}-start", url)
            times.append((time.perf_counter() - began) * 1000)
            await bot.stop()
        await bench.calibrate()
    return _figure("start until ready", name, (took[few], took[many]), AIM)


async def _measured(bench: Bench, name: str, sides: list[Side]) -> AsyncIterator[Figure]:
    spans: dict[str, tuple[float, float]] = {}
    for what, (action, times, aim) in ACTIONS.items():
        began = time.time()
        found = await _alternately(sides, action, 2 if bench.is_quick else times)
        spans[what] = (began, time.time())
        await bench.calibrate()
        yield _figure(what, name, found, aim)
    began = time.time()
    await asyncio.sleep(IDLE_SECONDS)
    spans["while idle"] = (began, time.time())
    records = [blocking.read(side.bot.log.parent) for side in sides]
    few, many = (
        [record.ms for record in recorded if record.kind == "sweep"] for recorded in records
    )
    yield _figure("a sweep", name, ([median(few)], [median(many)]), AIM)
    for what, (since, until) in spans.items():
        worst = max(
            (record.ms for record in records[1] if record.blocks(since, until)), default=0.0
        )
        yield Figure(
            what=f"loop blocked, at most: {what}",
            where=name,
            unit="ms",
            rounds=(worst,),
            aim=BLOCKED_AIM,
            tolerance=P50_TOLERANCE,
        )


async def _alternately(
    sides: list[Side], action: Callable[[Side], Awaitable[object]], times: int
) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each run, with few and with many onboardings."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(-1, times):
        for side, found in zip(sides, took, strict=True):
            began = time.perf_counter()
            await action(side)
            if number >= 0:  # the first one fills caches
                found.append((time.perf_counter() - began) * 1000)
    return took


def _figure(what: str, name: str, found: tuple[list[float], list[float]], aim: float) -> Figure:
    """Compare the medians of thirds: three rounds that took turns."""
    few, many = (
        [median(times[start::3]) for start in range(min(3, len(times)))] for times in found
    )
    return Figure(
        what=what,
        where=name,
        unit="ms",
        rounds=tuple(many),
        against=tuple(few),
        aim=aim,
        tolerance=P50_TOLERANCE,
    )
