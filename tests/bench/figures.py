"""What was measured, as a table and as JSON."""

import json
import math
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, what it is compared with, and the ratio that it aims at (or below)."""

    part: str
    what: str
    value: float
    unit: str
    against: float | None = None
    aim: float | None = None

    @property
    def ratio(self) -> float | None:
        """The figure as a multiple of what it is compared with."""
        return self.value / self.against if self.against else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None if there is none."""
        if self.aim is None:
            return None
        return (self.value if self.ratio is None else self.ratio) <= self.aim


@dataclass(frozen=True, slots=True)
class Round:
    """The middle and the tail of one round's latencies, in milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Round":
        """Take latencies in seconds."""
        return cls(percentile(seconds, 50) * 1000, percentile(seconds, 99) * 1000)

    @classmethod
    def typical(cls, rounds: Iterable["Round"]) -> "Round":
        """Return the medians of several rounds: one that was disturbed does not count."""
        known = list(rounds)
        return cls(median(one.p50 for one in known), median(one.p99 for one in known))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of all do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a table in Markdown."""
    lines = [
        "| what | measured | against | ratio | aim | met |",
        "| --- | --: | --: | --: | --: | --- |",
    ]
    for one in figures:
        met = "" if one.met is None else "yes" if one.met else "**no**"
        aim = "" if one.aim is None else f"≤ {one.aim:g}"
        cells = (
            one.what,
            f"{_short(one.value)} {one.unit}".rstrip(),
            "" if one.against is None else f"{_short(one.against)} {one.unit}".rstrip(),
            "" if one.ratio is None else f"{one.ratio:.2f}",
        )
        lines.append(f"| {' | '.join([*cells, aim, met])} |")
    return "\n".join(lines)


def write(figures: Iterable[Figure], path: Path) -> None:
    """Write the figures as JSON, with when and where they were measured."""
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "figures": [{**asdict(one), "ratio": one.ratio, "met": one.met} for one in figures],
    }
    path.write_text(f"{json.dumps(content, indent=2)}\n", encoding="utf-8")


def _short(value: float) -> str:
    return f"{value:.1f}" if value != int(value) and value < 1000 else f"{value:.0f}"
