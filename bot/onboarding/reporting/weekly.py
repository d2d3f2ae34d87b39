"""When the weekly digest is due. Pure."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from bot.onboarding.days import WEEKDAYS

TYPED = re.compile(r"(?:(?P<day>[A-Za-z]{3,9})\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})")


@dataclass(frozen=True, slots=True)
class Weekly:
    """A weekday (0: Monday) and a time of day."""

    weekday: int
    at: time

    @classmethod
    def parse(cls, text: str) -> "Weekly | None":
        """Read `Mon 09:00`, `monday 9:00`, or `09:00` for a Monday; None for anything else."""
        found = TYPED.fullmatch(text)
        if found is None:
            return None
        day = (found["day"] or "monday").lower()
        weekday = next((n for n, name in enumerate(WEEKDAYS) if day in (name, name[:3])), None)
        hour, minute = int(found["hour"]), int(found["minute"])
        if weekday is None or hour > 23 or minute > 59:
            return None
        return cls(weekday, time(hour, minute))

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday][:3].title()} {self.at:%H:%M}"

    def due(self, now: datetime, zone: ZoneInfo) -> date | None:
        """Return today, in `zone`, if it is the day and the time has come; else None."""
        local = now.astimezone(zone)
        is_due = local.weekday() == self.weekday and local.time() >= self.at
        return local.date() if is_due else None
