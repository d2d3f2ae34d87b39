"""Numbers, times and lists in words. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime


def listed(words: Iterable[str], conjunction: str = "and") -> str:
    """Join words as a sentence does: `a and b`, `a, b, and c`."""
    *first, last = words
    comma = "," if len(first) > 1 else ""
    return f"{', '.join(first)}{comma} {conjunction} {last}" if first else last


def count(number: int, noun: str) -> str:
    """Return a number of things in words: `1 credential`, `2 credentials`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def all_of(number: int, noun: str) -> str:
    """Return all of a number of things in words: `both credentials`, `all 5 credentials`."""
    if number < 2:
        return f"the {noun}"
    return f"both {noun}s" if number == 2 else f"all {number} {noun}s"


def first_of(lines: Sequence[str], most: int) -> list[str]:
    """Return the first lines, and one that counts the others if there are more."""
    others = len(lines) - most
    return [*lines[:most], f"and {others} more like these"] if others > 0 else [*lines]


def in_days(days: int) -> str:
    return count(days, "day") if days > 0 else "less than a day"


def ago(moment: datetime, now: datetime) -> str:
    """Return in words how long ago `moment` was, in its largest unit: `3 hours`."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if whole := seconds // size:
            return count(whole, unit)
    return "less than a minute"
