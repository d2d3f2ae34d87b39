"""Has many clients work for some minutes, and watches for leaks: `make soak`."""

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import click

from bot.app import connections
from sandbox.bot_process import BotProcess
from sandbox.clock import SharedClock
from tests.bench.population import Client, populate
from tests.bench.soak.people import ClientAtWork, look_after_clients
from tests.bench.soak.samples import Samples
from tests.bench.soak.verdict import HEADER, SPARE_FILES, Check, checks, row
from tests.bench.stage import Platforms, engine_for, migrated, running_platforms

# A morning on which reminders are sent: a Tuesday that is no holiday, in New York.
MORNING = datetime(2026, 10, 13, 10, tzinfo=ZoneInfo("America/New_York"))
STEPS = range(2, 22)  # where the clients are at first
CALL_SECONDS = 0.05
# Shares of the time; while idle, nothing happens.
WORK_SHARE, CATCH_UP_SHARE, IDLE_SHARE = 0.4, 0.5, 0.2
LUNCH_SECONDS = 360.0  # skipped after the work: some edits wait until a thread is idle
ROWS = 15
ENGINEERS = 2
REMINDED_SHARE = 0.01  # of the clients, while people work


@click.command(help=__doc__)
@click.option("--clients", default=200, show_default=True)
@click.option("--seconds", default=300.0, show_default=True)
def main(*, clients: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        found = asyncio.run(_soak(Path(directory), clients, seconds))
    for check in found:
        click.echo(f"{'✓' if check.passed else '✗'} {check.title}: {check.found}")
    if not all(check.passed for check in found):
        raise SystemExit(1)


async def _soak(directory: Path, count: int, seconds: float) -> list[Check]:
    clock = SharedClock(directory / "clock")
    clock.advance(MORNING.timestamp() - clock())
    with migrated(directory, "") as urls:
        async with running_platforms(directory, latency=CALL_SECONDS, clock=clock) as platforms:
            remind_after = round(seconds * WORK_SHARE / REMINDED_SHARE)
            clients = await _clients(platforms, urls["SQLite"], count, clock, remind_after)
            bot = await _start(platforms, urls["SQLite"], clock, remind_after)
            database = engine_for(urls["SQLite"])
            async with aiohttp.ClientSession() as session:
                samples = Samples(platforms.slack, bot, session, database)
                soak = Soak(platforms, samples, clients, clock, seconds)
                await soak.run()
            database.dispose()
            return [*checks(samples.taken), *soak.checks(), await _stopped(bot)]


async def _clients(
    platforms: Platforms, url: str, count: int, clock: SharedClock, remind_after: int
) -> list[Client]:
    """Make clients whose reminders become due one after the other."""
    found: list[Client] = []
    for place, step in enumerate(STEPS):
        number = count // len(STEPS) + (place < count % len(STEPS))
        found += await populate(platforms, url, f"s{step}", number, step, own_admins=True)
        clock.advance(remind_after / len(STEPS))
    return found


async def _start(
    platforms: Platforms, url: str, clock: SharedClock, remind_after: int
) -> BotProcess:
    command = ("-m", "sandbox.shifted_time", str(clock.path), "bot", "run")
    bot = await platforms.start(
        "bot",
        url,
        command,
        REMIND_AFTER=str(remind_after),
        ESCALATE_AFTER=str(2 * remind_after),
    )
    platforms.slack.deliver_to(bot.events_url)
    return bot


async def _stopped(bot: BotProcess) -> Check:
    status = await bot.stop()
    return Check("the bot ends when it is told to", status == 0, f"exit status {status}")


@dataclass
class Soak:
    """The people, how long they work, and what they did."""

    platforms: Platforms
    samples: Samples
    clients: Sequence[Client]
    clock: SharedClock
    seconds: float
    counts: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Let everybody work, let the bot catch up, then leave it idle."""
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        click.echo(HEADER)
        await self._sample("idle")
        self.platforms.slack.rate_limits.enabled = True
        working = asyncio.create_task(self._work(), name="people")
        await self._watch("work", WORK_SHARE, working.done)
        await working
        self.clock.advance(LUNCH_SECONDS)
        await self._watch("catch up", CATCH_UP_SHARE, lambda: not self.samples.taken[-1].behind)
        # By then, the bot has closed connections that nobody uses: each has a task.
        await asyncio.sleep(connections.IDLE_SECONDS)
        await self._sample("idle")
        # A task that runs at that very moment is not left behind, nor is a connection to Slack that
        # is still warm.
        await self._watch("idle", IDLE_SHARE, self._is_idle)

    def _is_idle(self) -> bool:
        first, last = self.samples.taken[0], self.samples.taken[-1]
        return last.tasks <= first.tasks and last.files <= first.files + SPARE_FILES

    def checks(self) -> Iterator[Check]:
        """Yield what the people saw and what the log says."""
        click.echo(f"people: {', '.join(f'{what} {n}' for what, n in self.counts.most_common())}")
        slots = Counter(
            (channel.id, message.slot)
            for channel in self.platforms.slack.channels.values()
            for message in channel.messages
            if message.slot
        )
        twice = [slot for slot, count in slots.items() if count > 1]
        yield Check("nothing was posted twice", not twice, f"{len(twice)} messages")
        reminders = sum((slot or "").startswith("reminder:") for _, slot in slots)
        yield Check("clients were reminded", reminders > 0, f"{reminders} reminders")
        refused = {
            what: n for what, n in self.counts.items() if what.endswith(TimeoutError.__name__)
        }
        yield Check("every window opened", not refused, str(refused or "all of them"))
        errors = [line for line in self.samples.bot.log_text().splitlines() if " ERROR " in line]
        yield Check("no error in the log", not errors, errors[0] if errors else "none")

    async def _work(self) -> None:
        rng, seconds = random.Random(7), self.seconds * WORK_SHARE  # noqa: S311 (repeatable)
        values = self.platforms.servicetitan.credentials
        at_work = [
            ClientAtWork(client, self.platforms.slack, values, random.Random(number), self.counts)  # noqa: S311
            for number, client in enumerate(self.clients)
        ]
        engineers = [look_after_clients(self.platforms, rng, seconds) for _ in range(ENGINEERS)]
        await asyncio.gather(*(client.work(seconds) for client in at_work), *engineers)

    async def _watch(self, phase: str, share: float, is_over: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.seconds * share
        while loop.time() < end and not is_over():
            await asyncio.sleep(self.seconds / ROWS)
            await self._sample(phase)

    async def _sample(self, phase: str) -> None:
        at = asyncio.get_running_loop().time() - self._began
        click.echo(row(await self.samples.take(at, phase)))


if __name__ == "__main__":
    main()
