"""Reads the days that people name: as a whole text (`Dec 1st`), or within a message. Pure."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from bot.core.typed_text import folded

WEEK = timedelta(days=7)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "a couple of": 2, "three": 3, "a few": 3}
NUMBERS |= {"four": 4, "five": 5, "six": 6}
UNITS = {"day": 1, "week": 7, "month": 30}
TOMORROW = {"tomorrow": 1, "tmrw": 1, "tmr": 1, "day after tomorrow": 2}

# --- a text that names a day, and says nothing else ---

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
LATER = re.compile(
    rf"(?:(?:in|for)\s+)?(?:about\s+)?(?P<count>{'|'.join(NUMBERS)}|\d{{1,3}})\s+"
    rf"(?P<unit>{'|'.join(UNITS)})s?"
)
END_OF_WEEK = re.compile(r"(?:the\s+)?(?:end of|later?)\s+(?:(?P<next>next)|this|the)\s+week")
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
    if found := WEEKDAY.fullmatch(text):
        return _weekday(found, today)
    if found := BEFORE_A_DATE.fullmatch(text):
        day = _date(found["rest"], today)
        return day if day and WEEKDAYS[day.weekday()].startswith(found["weekday"][:3]) else None
    return _date(text, today) or _later(text, today)


def _weekday(found: re.Match[str], today: date) -> date:
    wanted = next(n for n, name in enumerate(WEEKDAYS) if name.startswith(found["weekday"][:3]))
    if found["next"]:
        return _monday(today) + WEEK + timedelta(days=wanted)
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)


def _monday(today: date) -> date:
    return today - timedelta(days=today.weekday())


def _date(text: str, today: date) -> date | None:
    for pattern in DATES:
        if (found := pattern.fullmatch(text)) and (day := _dated(found.groupdict(), today)):
            return day
    if found := OF_THE_MONTH.fullmatch(text):
        months = [
            (today.year + n // 12, n % 12 + 1) for n in range(today.month - 1, today.month + 2)
        ]
        days = (_made(year, month, int(found["day"])) for year, month in months)
        return next((day for day in days if day and day > today), None)
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
    if following and following - today <= SOON and (this is None or this <= today):
        return following
    return this


def _later(text: str, today: date) -> date | None:
    if (day := text.removeprefix("the ")) in TOMORROW:
        return today + timedelta(days=TOMORROW[day])
    if text == "next week":
        return _monday(today) + WEEK
    if text == "next month":
        return date(today.year + today.month // 12, today.month % 12 + 1, 1)
    if found := END_OF_WEEK.fullmatch(text):
        return _monday(today) + timedelta(days=4) + (WEEK if found["next"] else timedelta())
    if found := LATER.fullmatch(text):
        count = NUMBERS.get(found["count"]) or int(found["count"])
        return today + timedelta(days=count * UNITS[found["unit"]]) if count else None
    return None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


# --- a day within a message: “back Thursday”, “on the 12th” ---

LONGEST = 1000  # characters that are read
# A misread day delays a reminder, by at most this much; nothing else depends on it.
FARTHEST = timedelta(days=30)
TOO_FAR = timedelta(days=92)  # a date further ahead more likely means a past one

_ANY_WEEKDAY = r"mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?"
_ANY_WEEKDAY += r"|saturday|sunday"
_ANY_MONTH = r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
_ANY_MONTH += r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
_TH, _NUMBER = r"(?:st|nd|rd|th)", "|".join(NUMBERS).replace(" ", r"\ ")
# In order: an earlier alternative wins over a later one that it contains.
_NAMED = re.compile(
    rf"""\b(?:
      day\ after\ tomorrow | tomorrow | tmrw
    | (?:end\ of|later?)\ next\ week | next\ week(?!end) | (?:end\ of|later)\ (?:this|the)\ week
    | next\ month
    | in\ (?:about\ )?(?:\d{{1,2}}|{_NUMBER})\ (?:day|week|month)s?
    | (?P<next>next\ )?(?P<weekday>{_ANY_WEEKDAY})\b\.?(?!\ (?:{_ANY_MONTH})\b)
    | (?:{_ANY_MONTH})\.?\ \d{{1,2}}{_TH}?(?![\d:%])
    | \d{{1,2}}{_TH}?\ (?:of\ )?(?:{_ANY_MONTH})
    | the\ \d{{1,2}}{_TH}(?!\ (?!of\b|at\b|in\b|or\b|and\b|then\b|to\b|when\b|if\b)\w)
    )(?!\w)""",
    re.VERBOSE,
)
# Words that show that a clause is about the past.
_PAST = re.compile(
    r"\b(?:last|past|since|ago|yesterday|was|were|did|had|been|got|went|came|sent|tried|signed|"
    r"(?:\w+ed))\b(?! (?:until|till)\b)"
)
# Words that end in -ed but aren't about the past.
_NOT_PAST = re.compile(
    r"\b(?:need|speed|feed|scheduled|planned|delayed|blocked|wed|booked|closed)\b"
)
_BACK = re.compile(r"\b(?:back|until|till|til|return\w*|again|resume|continue)\b")
_CLAUSE = re.compile(r"[;!?\n]+|\.(?=\s|$)|,\s+|\s[-–—]+\s")


def named_day(text: str, today: date) -> date | None:
    """Return the day that a message puts something off to; None if it names none.

    Of several, the last one after a word such as “back” or “until” counts, else the last of all.
    """
    found = []
    for clause in _CLAUSE.split(text[:LONGEST].casefold()):
        if _PAST.search(_NOT_PAST.sub("", clause)):
            continue
        back = bool(_BACK.search(clause))
        days = _days(" ".join(clause.split()), today, back=back)
        found += [(back, day) for day in days if today < day <= today + TOO_FAR]
    return min(max(found)[1], today + FARTHEST) if found else None


def _days(clause: str, today: date, *, back: bool) -> Iterator[date]:
    for match in _NAMED.finditer(clause):
        day = day_in(match[0], today)
        is_todays = match["weekday"] and not match["next"] and day == today + WEEK
        if day and (back or not is_todays):  # “until Monday”, on a Monday, is the next one
            yield day
