"""Measures the bot beside a stock slack-bolt app: `make bench`."""

import asyncio
import logging
import signal
import tempfile
import time
import traceback
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import click
import psycopg

from tests.bench.bench import Bench, Part, Size
from tests.bench.calibration import Calibration
from tests.bench.figures import Figure
from tests.bench.page import JSON, section, write_page
from tests.bench.parts import PARTS
from tests.bench.report import Machine, PartReport, Report, now
from tests.bench.stage import postgresql


@click.command(help=__doc__)
@click.option(
    "--part",
    "names",
    multiple=True,
    type=click.Choice(list(PARTS)),
    help="Only this, in what was measured before.",
)
@click.option("--quick", "size", flag_value=Size.QUICK, help="See that it works.")
@click.option("--usual", "size", flag_value=Size.USUAL, default=True, help="Ten minutes.")
@click.option("--long", "size", flag_value=Size.LONG, help="More rounds.")
@click.option("--sqlite-only", is_flag=True, help="Leave PostgreSQL out.")
@click.option("--output", type=click.Path(path_type=Path), default=JSON, show_default=True)
@click.option("--write", is_flag=True, help="Only make docs/performance.md from the output.")
def main(
    *, names: tuple[str, ...], size: Size, sqlite_only: bool, output: Path, write: bool
) -> None:
    if write:
        write_page(output)
        return
    logging.getLogger().addHandler(logging.NullHandler())  # what the bot logs, bots keep
    report = _measured(names or PARTS, size, sqlite_only=sqlite_only)
    if names and output.exists():
        earlier = Report.model_validate_json(output.read_text(encoding="utf-8"))
        report = earlier.with_parts_of(report)
    output.write_text(f"{report.model_dump_json(indent=1)}\n", encoding="utf-8")
    click.echo(f"{output}: {report.seconds:.0f} s")
    if any(part.problem for part in report.parts):
        raise SystemExit(1)


def _measured(names: Iterable[str], size: Size, *, sqlite_only: bool) -> Report:
    """Run the parts one after the other; one that fails says so, and the others go on."""
    measured_at, began, parts = now(), time.monotonic(), list[PartReport]()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        Calibration() as calibration,
        nullcontext("") if sqlite_only else postgresql() as server,
    ):
        machine = Machine.this(_version(server))
        for name in names:
            click.echo(f"{name} …", err=True)
            root = Path(directory) / name
            root.mkdir()
            bench = Bench(size, root, server, calibration)
            parts.append(_part(name, PARTS[name], bench))
            click.echo(section(parts[-1]))
    seconds = round(time.monotonic() - began, 1)
    quick = size is Size.QUICK
    return Report(
        measured_at=measured_at, seconds=seconds, quick=quick, machine=machine, parts=parts
    )


def _part(name: str, part: Part, bench: Bench) -> PartReport:
    report, began = PartReport(name=name, title=part.title, about=part.about), time.monotonic()
    bench.calibration.begin()
    asyncio.run(bench.calibrate())
    try:
        asyncio.run(_filled(report, part, bench))
    except Exception as error:  # the other parts go on
        report.problem = f"{type(error).__name__}: {error}".rstrip(": ")
        traceback.print_exc()
    asyncio.run(bench.calibrate())
    report.slowdown = round(bench.calibration.slowdown, 3)
    report.seconds = round(time.monotonic() - began, 1)
    return report


async def _filled(report: PartReport, part: Part, bench: Bench) -> None:
    """Measure within the part's time; also when we're told to end, the apps end with us."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with asyncio.timeout(part.seconds):
        async for found in part.measure(bench):
            if isinstance(found, Figure):
                report.figures.append(found)
            else:
                report.text += f"{found}\n\n"


def _version(server: str) -> str:
    if not server:
        return ""
    with psycopg.connect(server) as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


if __name__ == "__main__":
    main()
