"""How steady the machine is: a fixed piece of work, timed on every core at once.

`python -m tests.bench.calibration` does it once for each line of its input.
"""

import os
import subprocess
import sys
import time
from statistics import median
from typing import Self

LOOPS = 300_000  # some ten milliseconds
REPETITIONS = 3


class Calibration:
    """`with Calibration() as calibration` starts a process for each core; they end with it."""

    def __init__(self) -> None:
        self._best = float("inf")
        self._slowest: list[float] = []

    def __enter__(self) -> Self:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.bench.calibration"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(os.cpu_count() or 1)
        ]
        for _ in range(3):
            self.sample()
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.communicate()

    def begin(self) -> None:
        """Forget the samples, for the next part, but keep the best time."""
        self._slowest.clear()

    def sample(self) -> None:
        """Let all cores do the work at once, a few times."""
        for process in self._processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        lines = [process.stdout.readline() for process in self._processes if process.stdout]
        took = [[float(seconds) for seconds in line.split()] for line in lines]
        self._best = min(self._best, *(min(times) for times in took))
        self._slowest += [max(times) for times in zip(*took, strict=True)]

    @property
    def slowdown(self) -> float:
        """The median time on the slowest core, as a multiple of the best time."""
        return median(self._slowest) / self._best if self._slowest else 1.0


def _seconds() -> float:
    began = time.perf_counter()
    total = 0
    for number in range(LOOPS):
        total += number
    return time.perf_counter() - began


if __name__ == "__main__":
    for _line in sys.stdin:
        sys.stdout.write(f"{' '.join(str(_seconds()) for _ in range(REPETITIONS))}\n")
        sys.stdout.flush()
