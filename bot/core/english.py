"""Numbers, times and lists in words. Pure."""

from collections.abc import Iterable
from datetime import datetime


def listed(words: Iterable[str], conjunction: str = "and") -> str:
    """Join words as a sentence does: `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def in_days(days: int) -> str:
    """Return a number of whole days in words."""
    return "less than a day" if days < 1 else "1 day" if days == 1 else f"{days} days"


def ago(moment: datetime, now: datetime) -> str:
    """Return in words how long ago `moment` was, in its largest unit: `3 hours`."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if count := seconds // size:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"
