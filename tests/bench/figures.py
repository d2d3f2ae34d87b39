"""What was measured: figures with all their rounds, and whether they are too noisy to tell."""

import math
from collections.abc import Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict

# If the same work sometimes takes this many times as long, the machine is too noisy.
MAX_SLOWDOWN = 1.4
# How far the baseline may spread between rounds: a median is steadier than a tail.
P50_TOLERANCE, P99_TOLERANCE = 1.25, 1.8


class Figure(BaseModel):
    """One figure, round by round; `what` and `where` are its row and its column.

    `against` was measured in turn with it, in the same rounds, or is one fixed number; the aim is
    then a ratio. `tolerance` is how far `against` may spread between rounds; None is for what no
    noise touches, such as counts and CPU time.
    """

    model_config = ConfigDict(frozen=True)

    what: str
    where: str = ""
    unit: str = ""
    rounds: tuple[float, ...]
    against: tuple[float, ...] = ()
    aim: float | None = None
    at_least: bool = False
    tolerance: float | None = None

    @property
    def value(self) -> float:
        return median(self.rounds)

    @property
    def ratios(self) -> Sequence[float]:
        """The figure as a multiple of what it is compared with, round by round."""
        if len(self.against) == 1:
            return [value / self.against[0] for value in self.rounds]
        return [
            value / baseline for value, baseline in zip(self.rounds, self.against, strict=False)
        ]

    @property
    def judged(self) -> Sequence[float]:
        """What the aim is for: the ratios, or the figure itself if it's compared with nothing."""
        return self.ratios or self.rounds

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is met; None without an aim."""
        if self.aim is None:
            return None
        found = median(self.judged)
        return found >= self.aim if self.at_least else found <= self.aim

    def refusal(self, slowdown: float) -> str:
        """Return why the figure can't be told from noise, or "" if it can.

        `slowdown` tells how much longer the same work took at times during the part.
        """
        if self.tolerance is None:
            return ""
        if slowdown > MAX_SLOWDOWN:
            return f"the same work took up to {slowdown:.1f} × as long"
        if len(self.against) > 1 and (spread := spread_of(self.against)) > self.tolerance:
            return f"what it is compared with varied by {spread:.1f} ×"
        return ""


def spread_of(values: Sequence[float]) -> float:
    """Return the largest as a multiple of the smallest."""
    return max(values) / min(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of all don't exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def p50_and_p99(
    what: str,
    where: str,
    rounds: Sequence[Sequence[float]],
    against: Sequence[Sequence[float]],
    aims: tuple[float, float],
) -> list[Figure]:
    """Return two figures in milliseconds, from the seconds of each round beside the reference's."""
    return [
        Figure(
            what=f"{what}, p{percent}",
            where=where,
            unit="ms",
            rounds=tuple(percentile(values, percent) * 1000 for values in rounds),
            against=tuple(percentile(values, percent) * 1000 for values in against),
            aim=aim,
            tolerance=tolerance,
        )
        for percent, aim, tolerance in zip(
            (50, 99), aims, (P50_TOLERANCE, P99_TOLERANCE), strict=True
        )
    ]
