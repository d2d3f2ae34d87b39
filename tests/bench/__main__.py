"""Measures the bot beside an empty stock slack-bolt app: `make bench`."""

import asyncio
import signal
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click

from tests.bench import acknowledgements, lists, one_client, starting
from tests.bench.figures import Figure, table, write
from tests.bench.load import Load
from tests.bench.stage import databases, platforms

PARTS = ("start", "acknowledgements", "status", "windows", "visible", "calls")
SIZES = (100, 10_000, 100_000)


@click.command(help=__doc__)
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), help="Only this one.")
@click.option("--quick", is_flag=True, help="Fewer rounds: a look, no measurement.")
@click.option("--postgresql/--no-postgresql", default=True, help="On PostgreSQL too.")
@click.option("--output", type=click.Path(path_type=Path), default="bench.json", show_default=True)
def main(*, parts: tuple[str, ...], quick: bool, postgresql: bool, output: Path) -> None:
    figures = asyncio.run(_unless_ended(parts or PARTS, quick=quick, postgresql=postgresql))
    write(figures, output)
    click.echo(table(figures))


async def _unless_ended(parts: Iterable[str], *, quick: bool, postgresql: bool) -> list[Figure]:
    """Stop the apps with us, also when we are told to end."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await _measured(parts, quick=quick, postgresql=postgresql)


async def _measured(parts: Iterable[str], *, quick: bool, postgresql: bool) -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        if {"start", "acknowledgements", "status"}.intersection(parts):
            figures += await _beside_stock(directory, parts, quick=quick, postgresql=postgresql)
        for part, many, few in (("windows", 30, 5), ("visible", 15, 3)):
            if part in parts:
                click.echo(f"{part} …", err=True)
                with databases(_new(directory, part), postgresql=postgresql) as urls:
                    for kind, url in urls.items():
                        measure = getattr(one_client, part)
                        count = few if quick else many
                        figures += await measure(
                            _new(directory, f"{part}-{kind}"), url, kind, count
                        )
        if "calls" in parts:
            click.echo("calls and verification …", err=True)
            with databases(_new(directory, "calls"), postgresql=False) as urls:
                figures += await one_client.calls(directory, urls["SQLite"])
    return figures


async def _beside_stock(
    directory: Path, parts: Iterable[str], *, quick: bool, postgresql: bool
) -> list[Figure]:
    figures: list[Figure] = []
    with databases(directory, postgresql=postgresql) as urls:
        async with platforms(directory) as everything, Load() as load:
            if "start" in parts:
                click.echo("start …", err=True)
                figures += await starting.measure(everything, urls, 1 if quick else 3)
            rounds = 1 if quick else 3
            measured = await acknowledgements.prepared(everything, urls, rounds)
            stock = await everything.start("stock")
            bots = {name: (await everything.start(name, url), url) for name, url in urls.items()}
            for one in measured:
                one.app = bots[one.name][0]
            templates = await acknowledgements.captured(everything, bots["SQLite"][0])
            if "acknowledgements" in parts:
                click.echo("acknowledgements …", err=True)
                figures += await acknowledgements.measure(
                    everything, load, stock, measured, templates, rounds
                )
            if "status" in parts:
                click.echo("status …", err=True)
                sizes = SIZES[:2] if quick else SIZES
                figures += await lists.measure(everything, load, bots, templates, sizes)
            if "start" in parts:
                figures += starting.after_work(stock, bots)
    return figures


def _new(directory: Path, name: str) -> Path:
    made = directory / name
    made.mkdir()
    return made


if __name__ == "__main__":
    main()
