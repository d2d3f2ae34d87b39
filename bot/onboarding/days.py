"""Reads the day that somebody names, such as `Monday`, `Dec 1st` or `in two weeks`. Pure."""

import re
from datetime import date, timedelta

from bot.core.typed_text import folded

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
TOMORROW = {"tomorrow": 1, "tmrw": 1, "tmr": 1, "the day after tomorrow": 2}

_WEEKDAY = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?"
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_DAY, _YEAR = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?", r"(?:,?\s*(?P<year>\d{4}))?"
WEEKDAY = re.compile(rf"(?:(?:on|this|the|coming)\s+)*(?P<next>next\s+)?{_WEEKDAY}")
BEFORE_A_DATE = re.compile(rf"(?:on\s+)?{_WEEKDAY}(?:,\s*|\s+)(?:the\s+)?(?P<rest>.*\d.*)")
DATES = (
    re.compile(r"(?P<year>\d{4})[-/.](?P<number>\d{1,2})[-/.](?P<day>\d{1,2})"),
    re.compile(rf"{_MONTH}\s*(?:the\s+)?{_DAY}{_YEAR}"),
    re.compile(rf"{_DAY}\s*(?:of\s+)?{_MONTH}{_YEAR}"),
    re.compile(r"(?P<number>\d{1,2})/(?P<day>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?"),  # as in the US
)
OF_THE_MONTH = re.compile(r"(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)")
LATER = re.compile(r"(?:(?:in|for)\s+)?(?P<count>[a-z]+|\d{1,3})\s+(?P<unit>day|week)s?")
MORNING = re.compile(r"(?:,?\s+(?:(?:in the\s+)?morning|(?:at\s+)?9(?::00)?\s*a\.?m\.?))?\s*[.!]*")
# A date without a year that has passed means next year's only if that is not far away.
SOON = timedelta(days=200)


def day_in(words: str, today: date) -> date | None:
    """Return the day that `words` name, None if that isn't clear; it may have passed.

    A weekday is the next one after today; `next Friday` is that of next week.
    """
    text = re.sub(r"\A\W+|\W+\Z", "", " ".join(folded(words).split()))
    text = re.sub(rf"{MORNING.pattern}\Z", "", text)
    if text == "today":
        return today
    if text in TOMORROW:
        return today + timedelta(days=TOMORROW[text])
    if found := WEEKDAY.fullmatch(text):
        return _weekday(found, today)
    if found := BEFORE_A_DATE.fullmatch(text):
        day = _date(found["rest"], today)
        return day if day and WEEKDAYS[day.weekday()].startswith(found["weekday"][:3]) else None
    return _date(text, today) or _later(text, today)


def _weekday(found: re.Match[str], today: date) -> date:
    wanted = next(n for n, name in enumerate(WEEKDAYS) if name.startswith(found["weekday"][:3]))
    if found["next"]:
        return _next_monday(today) + timedelta(days=wanted)
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)


def _next_monday(today: date) -> date:
    return today + timedelta(days=7 - today.weekday())


def _next_month(today: date) -> date:
    return date(today.year + today.month // 12, today.month % 12 + 1, 1)


def _date(text: str, today: date) -> date | None:
    for pattern in DATES:
        if (found := pattern.fullmatch(text)) and (day := _dated(found.groupdict(), today)):
            return day
    if found := OF_THE_MONTH.fullmatch(text):
        number, month = int(found["day"]), today
        if number <= today.day:
            month = _next_month(today)
        return _made(month.year, month.month, number)
    return None


def _dated(parts: dict[str, str | None], today: date) -> date | None:
    name = parts.get("month") or ""
    month = int(parts.get("number") or 0) or next(
        (n for n, full in enumerate(MONTHS, start=1) if name and full.startswith(name)), 0
    )
    day, year = int(parts["day"] or 0), int(parts["year"] or 0)
    if year:
        return _made(year if year > 99 else 2000 + year, month, day)
    this, following = (_made(today.year + one, month, day) for one in (0, 1))
    if this and this <= today and following and following - today <= SOON:
        return following
    return this


def _later(text: str, today: date) -> date | None:
    if text == "next week":
        return _next_monday(today)
    if text == "next month":
        return _next_month(today)
    found = LATER.fullmatch(text)
    if found is None:
        return None
    count = int(found["count"]) if found["count"].isdecimal() else NUMBERS.get(found["count"], 0)
    return today + timedelta(days=count * (7 if found["unit"] == "week" else 1)) if count else None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
