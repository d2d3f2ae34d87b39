"""A report: the figures of each part, and the machine that they were measured on."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, Field

from tests.bench.figures import Figure

LIBRARIES = (
    *("slack-bolt", "slack-sdk", "aiohttp", "httpx", "pydantic", "sqlalchemy", "sqlmodel"),
    *("psycopg", "cryptography"),
)


class Machine(BaseModel):
    """The machine that it was measured on."""

    cpu: str
    cores: int
    memory_gb: float
    system: str
    python: str
    sqlite: str
    postgresql: str
    libraries: dict[str, str]
    load: list[float]  # the averages of 1, 5 and 15 minutes at the start

    @classmethod
    def this(cls, postgresql: str) -> "Machine":
        """Describe this machine, and a PostgreSQL server by its version ("": none)."""
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return cls(
            cpu=_cpu(),
            cores=os.cpu_count() or 1,
            memory_gb=round(pages / 1024**3, 1),
            system=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            sqlite=sqlite3.sqlite_version,
            postgresql=postgresql,
            libraries={name: version(name) for name in LIBRARIES},
            load=[round(average, 2) for average in os.getloadavg()],
        )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


class PartReport(BaseModel):
    """The results of a part; `problem` says why it didn't finish."""

    name: str
    title: str
    about: str
    seconds: float = 0.0
    slowdown: float = 1.0
    figures: list[Figure] = Field(default_factory=list)
    text: str = ""
    problem: str = ""


class Report(BaseModel):
    """Everything that one run has measured."""

    measured_at: datetime
    seconds: float
    quick: bool
    machine: Machine
    parts: list[PartReport]

    def with_parts_of(self, later: "Report") -> "Report":
        """Return this report with the parts that were measured again in place of its own."""
        again = {part.name: part for part in later.parts}
        parts = [again.pop(part.name, part) for part in self.parts]
        return later.model_copy(
            update={
                "parts": [*parts, *again.values()],
                "quick": self.quick or later.quick,
                "seconds": self.seconds,
            }
        )


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
