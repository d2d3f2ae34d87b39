"""Draws the charts of a report: SVG as data URIs, so that the report is a single file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pygal  # type: ignore[import-untyped]
from pygal.style import Style  # type: ignore[import-untyped]

from bot.guide import Owner
from bot.onboarding.reporting import Report

WAITED = {Owner.CLIENT: "The client", Owner.HEAVYSET: "HeavySet", None: "On hold"}
# Drawn for a phone; larger screens scale it up.
WIDTH = 420
BAR = 26
MONTHS = 12
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
STYLE = Style(
    background="white",
    plot_background="white",
    colors=("#2f6db5", "#d9822b"),
    font_family="system-ui, sans-serif",
    label_font_size=12,
    major_label_font_size=12,
    value_font_size=12,
    value_colors=("#1d2733", "#1d2733"),
    legend_font_size=12,
    opacity="1",
    transition="0s",
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, and what it shows in words, for people who can't see it."""

    title: str
    alt: str
    uri: str


def charts(report: Report) -> Sequence[Chart]:
    """Return the charts for which there are figures."""
    sides = {WAITED[side]: found for side, found in report.sides.items() if found}
    found = [_months(report)] if report.cases else []
    if sides:
        days = [(name, name, _in(DAY, spread.median)) for name, spread in sides.items()]
        found.append(_bars("Who it waited for, median days", days))
    steps = [
        (str(step.number), f"{step.number}. {step.title}", _in(HOUR, step.took.median))
        for step in report.steps
        if step.took
    ]
    if steps:
        found.append(_bars("Median hours per step, by its number", steps))
    return found


def _months(report: Report) -> Chart:
    started = Counter(_month(case.started_at) for case in report.cases)
    live = Counter(_month(case.ended_at) for case in report.cases if case.ended_at and case.is_live)
    months = sorted({*started, *live})[-MONTHS:]
    chart = pygal.Bar(**_options(height=260), show_legend=True, legend_at_bottom=True)
    chart.x_labels = months
    chart.add("Started", [started[month] for month in months])
    chart.add("Went live", [live[month] for month in months])
    alt = [f"{month}: {started[month]} started, {live[month]} went live" for month in months]
    return Chart("Started and live, by month", "; ".join(alt), chart.render_data_uri())


def _bars(title: str, rows: Sequence[tuple[str, str, float]]) -> Chart:
    """Draw a bar for each row: its label, its full name, and its value."""
    upward = rows[::-1]  # pygal draws the first one at the bottom
    chart = pygal.HorizontalBar(**_options(height=BAR * len(rows) + 70), show_legend=False)
    chart.x_labels = [label for label, _, _ in upward]
    chart.add(title, [value for _, _, value in upward])
    alt = "; ".join(f"{name}: {value:g}" for _, name, value in rows)
    return Chart(title, alt, chart.render_data_uri())


def _options(*, height: int) -> dict[str, object]:
    return {
        "width": WIDTH,
        "height": height,
        "style": STYLE,
        "js": [],
        "print_values": True,
        "print_values_position": "top",
        "show_x_guides": False,
        "show_y_guides": False,
        "margin": 4,
        "formatter": lambda value: f"{value:g}",
    }


def _month(moment: datetime) -> str:
    return f"{moment:%Y-%m}"


def _in(unit: timedelta, time: timedelta) -> float:
    return round(time / unit, 1)
