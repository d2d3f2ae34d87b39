"""Many clients at once, and one in a hurry, within Slack's real limits; in simulated time."""

import asyncio
import logging
import multiprocessing
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.bench.bench import Bench
from tests.bench.figures import Figure, percentile
from tests.bench.simulated import LIMITS_RESET_SECONDS, Client, Timings, simulate
from tests.integration.world import World

STEP_SECONDS, MORNING_SECONDS = 30.0, 600.0
SOON_SECONDS = 1.0
CLIENTS, AIM_CLIENTS = (10, 20, 30, 40), 30
AIM_PERCENT = 95.0
LAST_STEP = 22
MAX_WAIT_SECONDS = 3.0
REACTION_SECONDS = 0.3  # between seeing a step and pressing its button


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """Run mornings with more and more clients, and one who presses as fast as they can.

    All at once on all cores: simulated time doesn't mind.
    """
    counts = CLIENTS[:1] if bench.is_quick else CLIENTS
    loop, spawn = asyncio.get_running_loop(), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), spawn, _be_silent) as pool:
        hurry = loop.run_in_executor(pool, _simulated, _hurry)
        mornings = {  # the longest first
            count: loop.run_in_executor(pool, _simulated, partial(_morning, count))
            for count in reversed(counts)
        }
        for count in counts:
            for figure in _figures(await mornings[count], count):
                yield figure
        yield Figure(
            what="longest wait",
            where="1 in a hurry",
            unit="s",
            rounds=(max((await hurry).waits),),
            aim=MAX_WAIT_SECONDS,
        )


def _be_silent() -> None:
    logging.getLogger().addHandler(logging.NullHandler())


def _simulated(scenario: Callable[[World], Awaitable[Timings]]) -> Timings:
    return asyncio.run(simulate(scenario))


def _figures(timings: Timings, count: int) -> Iterator[Figure]:
    where, aim = f"{count} clients", AIM_PERCENT if count <= AIM_CLIENTS else None
    soon = 100 * sum(wait <= SOON_SECONDS for wait in timings.waits) / len(timings.waits)
    share = "the next step visible within 1 s"
    yield Figure(what=share, where=where, unit="%", rounds=(soon,), aim=aim, at_least=True)
    for percent in (50, 95, 100):
        what = f"wait for the next step, p{percent}" if percent < 100 else "longest wait"
        value = percentile(timings.waits, percent)
        yield Figure(what=what, where=where, unit="s", rounds=(value,))
    if timings.button_gone:
        what = "until the pressed button is gone, p50"
        yield Figure(
            what=what, where=where, unit="s", rounds=(percentile(timings.button_gone, 50),)
        )


async def _morning(count: int, world: World) -> Timings:
    loop, rng, timings = asyncio.get_running_loop(), random.Random(7), Timings()  # noqa: S311
    clients = [await Client.begin(world, f"Client {number}", timings) for number in range(count)]
    await asyncio.sleep(LIMITS_RESET_SECONDS)
    world.slack.rate_limits.enabled = True
    world.slack.observers.append(timings.changed)
    end = loop.time() + MORNING_SECONDS

    async def work(client: Client, first: float) -> None:
        await asyncio.sleep(first)
        while (began := loop.time()) < end and client.step < LAST_STEP:
            await client.press()
            await asyncio.sleep(max(0.0, began + STEP_SECONDS - loop.time()))

    await asyncio.gather(*(work(client, rng.random() * STEP_SECONDS) for client in clients))
    return timings


async def _hurry(world: World) -> Timings:
    timings = Timings()
    client = await Client.begin(world, "Client in a hurry", timings)
    await asyncio.sleep(LIMITS_RESET_SECONDS)
    world.slack.rate_limits.enabled = True
    while client.step < LAST_STEP:
        await client.press()
        await asyncio.sleep(REACTION_SECONDS)
    return timings
