"""docs/performance.md, made from the JSON of a run and from nothing else."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill

import click

from tests.bench.figures import Figure
from tests.bench.report import Machine, PartReport, Report

JSON = Path("bench.json")
DOCS = Path(__file__).parents[2] / "docs"
PAGE, PAGE_JSON = DOCS / "performance.md", DOCS / "performance.json"
TEMPLATE = Path(__file__).with_name("page.md")
WIDTH = 120
TOO_NOISY = "too noisy to tell"


def write_page(source: Path) -> None:
    """Make the page from a whole run, and keep the run's JSON beside it; raises UsageError."""
    content = source.read_text(encoding="utf-8")
    report = Report.model_validate_json(content)
    if report.quick:
        raise click.UsageError(f"{source} is from a quick look, which measures too little")
    PAGE_JSON.write_text(content, encoding="utf-8")
    PAGE.write_text(page(report), encoding="utf-8")


def page(report: Report) -> str:
    """Return the whole page, in Markdown."""
    template = TEMPLATE.read_text(encoding="utf-8")
    values = {
        "SUMMARY": "\n\n".join(_summary(report)),
        "MACHINE": fill(_machine(report, report.machine), WIDTH),
        "SECTIONS": "\n".join(section(part) for part in report.parts).rstrip(),
    }
    for name, value in values.items():
        template = template.replace(f"<!-- {name} -->", value)
    return template


def section(part: PartReport) -> str:
    """Return what a part found: its heading, how it was measured, and its table."""
    blocks = [f"## {part.title}", fill(part.about, WIDTH, break_on_hyphens=False)]
    if part.figures:
        blocks.append("\n".join(_table(part)))
    if reasons := dict.fromkeys(figure.refusal(part.slowdown) for figure in part.figures):
        blocks += [f"Too noisy: {reason}." for reason in reasons if reason]
    if part.text:
        blocks.append(f"```text\n{part.text.strip()}\n```")
    if part.problem:
        blocks.append(f"**Not measured to the end:** {part.problem}")
    return "\n\n".join(blocks) + "\n"


def _table(part: PartReport) -> Iterator[str]:
    rows = list(dict.fromkeys(figure.what for figure in part.figures))
    columns = list(dict.fromkeys(figure.where for figure in part.figures))
    with_aims = any(figure.aim is not None for figure in part.figures)
    yield _line(["", *columns, *(["aim"] if with_aims else [])])
    yield _line(["---", *("--:" for _ in columns), *(["--:"] if with_aims else [])])
    for row in rows:
        figures = {figure.where: figure for figure in part.figures if figure.what == row}
        cells = [
            cell(figures[column], part.slowdown) if column in figures else "" for column in columns
        ]
        aims = dict.fromkeys(aim(figure) for figure in figures.values() if figure.aim is not None)
        yield _line([row, *cells, *([" / ".join(aims)] if with_aims else [])])


def cell(figure: Figure, slowdown: float) -> str:
    """Return a figure with its spread, or that it is too noisy to tell."""
    if figure.refusal(slowdown):
        return TOO_NOISY
    value = _with_unit(_short(figure.value), figure.unit)
    spread = _spread(figure.judged)
    if figure.ratios:
        value = f"{_short(_middle(figure))} ×{spread}, {value}"
    else:
        value += spread
    return value if figure.is_met is not False else f"**{value}**"


def aim(figure: Figure) -> str:
    """Return the aim with its unit."""
    sign = "≥" if figure.at_least else "≤"
    return f"{sign} {_with_unit(f'{figure.aim:g}', '×' if figure.against else figure.unit)}"


def _summary(report: Report) -> Iterator[str]:
    judged = [
        (figure, part, figure.refusal(part.slowdown))
        for part in report.parts
        for figure in part.figures
        if figure.aim is not None
    ]
    reliable = [(figure, part) for figure, part, refusal in judged if not refusal]
    missed = [(figure, part) for figure, part in reliable if not figure.is_met]
    noisy = len(judged) - len(reliable)
    yield fill(
        f"Of {len(judged)} figures with an aim, {len(reliable) - len(missed)} meet it, "
        f"{len(missed)} miss it (bold), and {noisy} can't be told from noise.",
        WIDTH,
    )
    if missed:
        lines = (f"- {part.title}: {figure.what}, {figure.where}" for figure, part in missed)
        yield "Missed:\n\n" + "\n".join(dict.fromkeys(lines))


def _machine(report: Report, machine: Machine) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    databases = f"SQLite {machine.sqlite}"
    if machine.postgresql:
        databases += f", PostgreSQL {machine.postgresql}"
    load = ", ".join(f"{one:g}" for one in machine.load)
    return (
        f"Measured on {report.measured_at:%Y-%m-%d} in {report.seconds / 60:.0f} minutes: "
        f"{machine.cpu}, {machine.cores} cores, {machine.memory_gb:g} GB, {machine.system}, "
        f"Python {machine.python}, {databases}, {libraries}. Load at the start: {load}."
    )


def _middle(figure: Figure) -> float:
    ordered = sorted(figure.judged)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _spread(values: Sequence[float]) -> str:
    low, high = _short(min(values)), _short(max(values))
    return f" ({low}–{high})" if low != high else ""


def _short(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    if value < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}".rstrip()


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")
