"""What the parts of the bench share."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from tests.bench.calibration import Calibration
from tests.bench.figures import Figure
from tests.bench.stage import migrated

IDLE_SECONDS = 0.4


class Size(Enum):
    """How much is measured: a quick look, ten minutes in all, or as long as it takes."""

    QUICK = "quick"
    USUAL = "usual"
    LONG = "long"


@dataclass
class Bench:
    """One run: how much it measures, where its files go, and how steady the machine is."""

    size: Size
    root: Path
    server: str  # a PostgreSQL server; "": SQLite only
    calibration: Calibration
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def rounds(self, *, quick: int, usual: int, long: int) -> int:
        """Return how many rounds a part has in a run of this size."""
        return {Size.QUICK: quick, Size.USUAL: usual, Size.LONG: long}[self.size]

    @property
    def is_quick(self) -> bool:
        return self.size is Size.QUICK

    async def calibrate(self) -> None:
        """Measure how steady the machine is, once the apps are idle."""
        await asyncio.sleep(IDLE_SECONDS)
        self.calibration.sample()

    def directory(self) -> Path:
        """Make a new directory."""
        made = self.root / str(next(self._numbers))
        made.mkdir()
        return made

    @contextmanager
    def databases(self) -> Iterator[dict[str, str]]:
        """Give the URLs of new databases with all tables, by their kind."""
        with migrated(self.directory(), self.server) as urls:
            yield urls


# Yields figures, and text such as a profile.
Measure = Callable[[Bench], AsyncIterator[Figure | str]]


@dataclass(frozen=True)
class Part:
    """A part of the bench: how the page introduces it, and how long it may take."""

    title: str
    about: str
    measure: Measure
    seconds: float = 240.0
