"""`status` with ever more onboardings, and what is behind it."""

import asyncio
from collections.abc import Mapping, Sequence

from sandbox.bot_process import BotProcess
from tests.bench.acknowledgements import Templates
from tests.bench.figures import Figure, Round
from tests.bench.load import Load
from tests.bench.population import fill_up
from tests.bench.stage import Platforms

# What is typed where: in a client's channel, elsewhere, and with a part of a name.
ASKED = {
    "in a client's channel": ("CBULK0000090", ""),
    "of all": ("", ""),
    "of one by name": ("", "client 95"),
}
COUNT, RATE = 60, 20


async def measure(
    platforms: Platforms,
    load: Load,
    bots: Mapping[str, tuple[BotProcess, str]],
    templates: Templates,
    sizes: Sequence[int],
) -> list[Figure]:
    """Fill the databases up step by step, and ask at each."""
    found: dict[tuple[str, str, int], Round] = {}
    for size in sizes:
        for name, (bot, url) in bots.items():
            await asyncio.to_thread(fill_up, url, size)
            for what, (channel, words) in ASKED.items():
                where = channel or platforms.engineering.id
                bodies = [templates.status(where, words) for _ in range(COUNT)]
                took = await load.send(bot.events_url, platforms.slack.signing_secret, bodies, RATE)
                found[name, what, size] = Round.of(took)
    first = min(sizes)
    return [
        Figure(
            "status",
            f"`status` {what}, {size:,} onboardings, {name}, p50",
            found[name, what, size].p50,
            "ms",
            found[name, what, first].p50 if size > first else None,
            aim=1.25 if size > first else None,
        )
        for what in ASKED
        for name in bots
        for size in sizes
    ]
