"""The day until which somebody says that they wait: “back Thursday”, “on the 12th”. Pure.

People who name a day aren't reminded before it. A misheard day delays a reminder, at most by
FARTHEST; nothing else hangs on it.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta

LONGEST = 1000  # characters that are read
FARTHEST = timedelta(days=30)
TOO_FAR = timedelta(days=92)  # a date that far ahead is more likely one of the past
WEEK = timedelta(days=7)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "saturday", "sunday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NUMBERS = {"a": 1, "one": 1, "a couple of": 2, "two": 2, "a few": 3, "three": 3, "four": 4}
UNITS = {"day": 1, "week": 7, "month": 30}

_WEEKDAY = r"mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?"
_WEEKDAY += r"|saturday|sunday"
_MONTH = r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
_MONTH += r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
_TH = r"(?:st|nd|rd|th)"
_NUMBER = "|".join(sorted(NUMBERS, key=len, reverse=True)).replace(" ", r"\ ")
# In order: what comes first wins over what it contains.
_DAY = re.compile(
    rf"""\b(?:
      (?P<after_tomorrow>day\ after\ tomorrow)
    | (?P<tomorrow>tomorrow|tmrw)
    | (?P<end_next>(?:end\ of|late|later)\ next\ week)
    | (?P<next_week>next\ week(?!end))
    | (?P<end>(?:end\ of|later)\ (?:this|the)\ week)
    | (?P<next_month>next\ month)
    | in\ (?:about\ )?(?P<count>\d{{1,2}}|{_NUMBER})\ (?P<unit>day|week|month)s?
    | (?P<next>next\ )?(?P<weekday>{_WEEKDAY})\b\.?(?!\ (?:{_MONTH})\b)
    | (?P<month>{_MONTH})\.?\ (?P<of_month>\d{{1,2}}){_TH}?(?![\d:%])
    | (?P<day_of>\d{{1,2}}){_TH}?\ (?:of\ )?(?P<the_month>{_MONTH})
    | the\ (?P<day>\d{{1,2}}){_TH}(?!\ (?!of\b|at\b|in\b|or\b|and\b|then\b|to\b|when\b|if\b)\w)
    )(?!\w)""",
    re.VERBOSE,
)
# What somebody tells of the past.
_PAST = re.compile(
    r"\b(?:last|past|since|ago|yesterday|was|were|did|had|been|got|went|came|sent|tried|signed|"
    r"(?:\w+ed))\b(?! (?:until|till)\b)"
)
# Words that end in -ed and tell of nothing past.
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
        for day in _days(" ".join(clause.split()), today):
            later = day + WEEK if back and day == today else day  # “until Monday”, on a Monday
            if today < later <= today + TOO_FAR:
                found.append((back, later))
    return min(max(found)[1], today + FARTHEST) if found else None


def _days(clause: str, today: date) -> Iterator[date]:
    monday = today - timedelta(days=today.weekday())
    for match in _DAY.finditer(clause):
        parts = {name: value for name, value in match.groupdict().items() if value}
        if "after_tomorrow" in parts:
            yield today + timedelta(days=2)
        elif "tomorrow" in parts:
            yield today + timedelta(days=1)
        elif "end_next" in parts:
            yield monday + WEEK + timedelta(days=4)
        elif "next_week" in parts:
            yield monday + WEEK
        elif "end" in parts:
            yield monday + timedelta(days=4)
        elif "next_month" in parts:
            yield (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        elif "unit" in parts:
            count = NUMBERS.get(parts["count"]) or int(parts["count"])
            yield today + timedelta(days=count * UNITS[parts["unit"]])
        elif "weekday" in parts:
            yield _weekday(parts["weekday"], today, monday, later="next" in parts)
        else:
            yield from _of_month(parts, today)


def _weekday(name: str, today: date, monday: date, *, later: bool) -> date:
    """Return the next such day, today excepted; `later`: the one of next week."""
    number = next(n for n, short in enumerate(WEEKDAYS) if name.startswith(short))
    if later:
        return monday + WEEK + timedelta(days=number)
    return today + timedelta(days=(number - today.weekday()) % 7)


def _of_month(parts: dict[str, str], today: date) -> Iterator[date]:
    """Yield the next day with this number, in the month that is named, if one is."""
    number = int(parts.get("of_month") or parts.get("day_of") or parts["day"])
    name = parts.get("month") or parts.get("the_month")
    months = [MONTHS.index(name[:3]) + 1] if name else range(1, 13)
    later = []
    for year in (today.year, today.year + 1):
        for month in months:
            try:
                later.append(date(year, month, number))
            except ValueError:  # 30 February
                continue
    yield from [day for day in later if day > today][:1]
