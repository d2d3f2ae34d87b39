"""Dates as each reader sees them (docs: formatting message text, “Date formatting”)."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

TOKEN = re.compile(r"<!date\^(\d+)\^([^|^>]*)(?:\^[^|>]*)?\|([^>]*)>")
DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}


def with_dates(text: str, now: float, tz: str | None) -> str:
    """The text with every date as a reader in the time zone `tz` sees it at `now`."""
    return TOKEN.sub(lambda found: shown(int(found[1]), found[2], found[3], now, tz), text)


def shown(at: int, form: str, fallback: str, now: float, tz: str | None) -> str:
    """One date, such as “today at 2:18 PM”; the fallback for a format that Slack doesn't know."""
    zone = _zone(tz)
    moment, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    day = DAYS.get((moment.date() - today) // timedelta(days=1))
    words = {
        "date_num": f"{moment:%Y-%m-%d}",
        "date_slash": f"{moment:%m/%d/%Y}",
        "date": f"{moment:%B} {moment.day}{_ordinal(moment.day)}, {moment.year}",
        "date_short": f"{moment:%b} {moment.day}, {moment.year}",
        "date_long": f"{moment:%A, %B} {moment.day}{_ordinal(moment.day)}, {moment.year}",
        "time": f"{int(f'{moment:%I}')}:{moment:%M %p}",
        "time_secs": f"{int(f'{moment:%I}')}:{moment:%M:%S %p}",
    }
    for name in ("date", "date_short", "date_long"):
        words[f"{name}_pretty"] = day or words[name]
    names = re.findall(r"\{(\w+)\}", form)
    if not names or not words.keys() >= set(names):
        return fallback
    return re.sub(r"\{(\w+)\}", lambda found: words[found[1]], form)


def _zone(tz: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(tz or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _ordinal(day: int) -> str:
    return "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
