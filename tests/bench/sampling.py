"""`python -m tests.bench.sampling FILE MODULE …`: run a module, and sample where its CPU time goes.

SIGUSR1 begins. SIGUSR2 ends and writes the stacks to FILE.1, the next time to FILE.2, and so on.
Each line is a stack as tools that draw flame graphs read it: functions from the outermost on,
separated by semicolons, and a count.
"""

import itertools
import runpy
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import greenlet  # type: ignore[import-untyped]

Stacks = Mapping[str, int]  # how often each was seen

INTERVAL_SECONDS = 0.001  # of CPU time; systems with a slower tick sample less often


class Sampler:
    """Counts stacks while its timer runs."""

    def __init__(self, file: Path) -> None:
        self._file, self._stacks, self._numbers = file, Counter[str](), itertools.count(1)
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGUSR1, self._begin)
        signal.signal(signal.SIGUSR2, self._end)

    def _begin(self, _number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        lines = (f"{stack} {count}\n" for stack, count in self._stacks.items())
        file = self._file.with_name(f"{self._file.name}.{next(self._numbers)}")
        file.write_text("".join(lines), encoding="utf-8")
        self._stacks.clear()

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        names, inside = [], greenlet.getcurrent()
        while frame:
            module = frame.f_globals.get("__name__", "?")
            names.append(f"{module}.{frame.f_code.co_qualname}")
            frame = frame.f_back
            if frame is None and inside.parent:  # SQLAlchemy's; it was entered from another stack
                inside = inside.parent
                frame = inside.gr_frame
        self._stacks[";".join(reversed(names))] += 1


def read(file: Path) -> Stacks:
    """Return the count of each stack."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return {stack: int(count) for stack, _, count in (line.rpartition(" ") for line in lines)}


def own(stacks: Stacks) -> Counter[str]:
    """Count each function's samples, without what it called."""
    found = Counter[str]()
    for stack, count in stacks.items():
        found[stack.rpartition(";")[2]] += count
    return found


def cumulative(stacks: Stacks) -> Counter[str]:
    """Count each function's samples, with what it called."""
    found = Counter[str]()
    for stack, count in stacks.items():
        found.update(dict.fromkeys(stack.split(";"), count))
    return found


if __name__ == "__main__":
    Sampler(Path(sys.argv[1]))
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
