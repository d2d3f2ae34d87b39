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
from tests.bench.simulated import FORGOTTEN_SECONDS, Client, Seen, simulate
from tests.integration.world import World

EVERY, LASTING = 30.0, 600.0
SOON = 1.0
CLIENTS, ENOUGH = (10, 20, 30, 40), 30
AIM_PERCENT = 95.0
LAST_STEP = 22
LONGEST_WAIT = 3.0
REACTION = 0.3  # between seeing a step and pressing its button


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """Let more and more clients work; then one who presses as fast as they can.

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
            aim=LONGEST_WAIT,
        )


def _be_silent() -> None:
    logging.getLogger().addHandler(logging.NullHandler())


def _simulated(scenario: Callable[[World], Awaitable[Seen]]) -> Seen:
    return asyncio.run(simulate(scenario))


def _figures(seen: Seen, count: int) -> Iterator[Figure]:
    where, aim = f"{count} clients", AIM_PERCENT if count <= ENOUGH else None
    soon = 100 * sum(wait <= SOON for wait in seen.waits) / len(seen.waits)
    share = "the next step visible within 1 s"
    yield Figure(what=share, where=where, unit="%", rounds=(soon,), aim=aim, at_least=True)
    for percent in (50, 95, 100):
        what = f"wait for the next step, p{percent}" if percent < 100 else "longest wait"
        value = percentile(seen.waits, percent)
        yield Figure(what=what, where=where, unit="s", rounds=(value,))
    if seen.gone:
        what = "until the pressed button is gone, p50"
        yield Figure(what=what, where=where, unit="s", rounds=(percentile(seen.gone, 50),))


async def _morning(count: int, world: World) -> Seen:
    loop, chance, seen = asyncio.get_running_loop(), random.Random(7), Seen()  # noqa: S311
    clients = [await Client.begin(world, f"Client {number}", seen) for number in range(count)]
    await asyncio.sleep(FORGOTTEN_SECONDS)
    world.slack.rate_limits.enabled = True
    world.slack.observe(seen.changed)
    end = loop.time() + LASTING

    async def work(client: Client, first: float) -> None:
        await asyncio.sleep(first)
        while (began := loop.time()) < end and client.step < LAST_STEP:
            await client.press()
            await asyncio.sleep(max(0.0, began + EVERY - loop.time()))

    await asyncio.gather(*(work(client, chance.random() * EVERY) for client in clients))
    return seen


async def _hurry(world: World) -> Seen:
    seen = Seen()
    client = await Client.begin(world, "Client in a hurry", seen)
    await asyncio.sleep(FORGOTTEN_SECONDS)
    world.slack.rate_limits.enabled = True
    while client.step < LAST_STEP:
        await client.press()
        await asyncio.sleep(REACTION)
    return seen
