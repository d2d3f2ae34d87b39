"""Computes the bars of the exported charts, which a template draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.guide import Owner
from bot.onboarding.history import SIDES, History, lasting

WIDTH = 640


@dataclass(frozen=True, slots=True)
class Bar:
    """Part of a bar: whose time it shows, and its start and width in pixels."""

    side: str
    x: float
    width: float
    took: str


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase: its name, its duration, and its bar with a part for each side."""

    number: int
    title: str
    took: str
    bars: Sequence[Bar]


def phase_rows(history: History) -> list[PhaseRow]:
    """Return a row for each phase; the longest one has the full width."""
    whole = {number: sum(times.values(), timedelta()) for number, times in history.phases.items()}
    longest = max(whole.values(), default=timedelta()) or timedelta(seconds=1)
    rows = []
    for phase in history.guide.phases:
        start, bars = timedelta(), []
        for side, time in history.phases[phase.number].items():
            if time:
                bars.append(_bar(side, start, time, longest))
                start += time
        rows.append(PhaseRow(phase.number, phase.title, lasting(whole[phase.number]), bars))
    return rows


def waiting_bars(history: History) -> list[Bar]:
    """Return whose turn it was over time, as parts of a single bar."""
    took = history.took or timedelta(seconds=1)
    return [
        _bar(span.side, span.start - history.started_at, span.length, took)
        for span in history.spans
    ]


def _bar(side: Owner | None, start: timedelta, time: timedelta, whole: timedelta) -> Bar:
    """Return the bar of a `time` from `start`, if `whole` has the full width."""
    x, width = WIDTH * (start / whole), WIDTH * (time / whole)
    return Bar(SIDES[side], round(x, 1), round(max(width, 1), 1), lasting(time))
