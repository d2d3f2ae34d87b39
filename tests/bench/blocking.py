"""`python -m tests.bench.blocking MODULE …`: run a module, and record what blocks its event loop.

Each line of `blocking.jsonl` in the current folder is a callback of the loop that took 5 ms or
longer, or a sweep: its kind, when it ended (`time.time()`), and its milliseconds.
"""

import asyncio
import json
import runpy
import sys
import time
from pathlib import Path
from typing import NamedTuple

FROM_MS = 5.0
FILE = "blocking.jsonl"


class Record(NamedTuple):
    """A line of the file."""

    kind: str
    at: float
    ms: float

    def blocks(self, since: float, until: float) -> bool:
        """Whether it blocked the loop within a time."""
        return self.kind == "block" and since <= self.at <= until


def read(directory: Path) -> list[Record]:
    """Return what a process has recorded so far."""
    lines = (directory / FILE).read_text(encoding="utf-8").splitlines()
    return [Record(*json.loads(line)) for line in lines]


def record() -> None:
    """Time every callback of the event loop, and every sweep, from now on."""
    from bot.app.sweep import Sweep

    file = Path(FILE).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 (kept open)
    run, sweep = asyncio.Handle._run, Sweep.__call__

    def note(kind: str, began: float) -> None:
        took = (time.perf_counter() - began) * 1000
        if kind == "sweep" or took >= FROM_MS:
            file.write(f"{json.dumps([kind, time.time(), took])}\n")

    def timed_run(self: asyncio.Handle) -> None:
        began = time.perf_counter()
        run(self)
        note("block", began)

    async def timed_sweep(self: Sweep) -> None:
        began = time.perf_counter()
        await sweep(self)
        note("sweep", began)

    asyncio.Handle._run = timed_run  # type: ignore[method-assign]
    Sweep.__call__ = timed_sweep  # type: ignore[method-assign]


if __name__ == "__main__":
    record()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
