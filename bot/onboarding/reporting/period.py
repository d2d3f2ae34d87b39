"""The period of a report: some days up to now, or all time."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

TYPED = re.compile(r"(?:last\s+)?(\d{1,5})\s*(?:d|days?)?", re.IGNORECASE)
LONGEST_DAYS = 36500


@dataclass(frozen=True, slots=True)
class Period:
    """`days` up to now; None: all time."""

    days: int | None = None

    @classmethod
    def parse(cls, words: str) -> "Period | None":
        """Read `30d`, `90 days` or `all`; None for anything else."""
        words = " ".join(words.split())
        if words.lower() in ("all", "all time", "ever"):
            return cls()
        found = TYPED.fullmatch(words)
        days = int(found[1]) if found else 0
        return cls(days) if 0 < days <= LONGEST_DAYS else None

    def __str__(self) -> str:
        return "all" if self.days is None else f"{self.days}d"

    @property
    def title(self) -> str:
        if self.days is None:
            return "All time"
        return "Last day" if self.days == 1 else f"Last {self.days} days"

    def since(self, now: datetime) -> datetime | None:
        """Return when the period began, None for all time."""
        return None if self.days is None else now - timedelta(days=self.days)
