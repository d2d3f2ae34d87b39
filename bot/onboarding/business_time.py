"""Business time: 09:00–17:00 on the working days of a client's country. Pure.

The country comes from the time zone, by the tables that tzdata ships; its weekends and national
holidays come from the library `holidays`. A time zone of no country (`UTC`, `Etc/GMT+5`, `CET`)
has weekends, and no holidays. Each year's working days are laid out once; after that an answer is
a search in a list, however long the time.
"""

import re
import warnings
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from itertools import accumulate
from zoneinfo import ZoneInfo

OPENS, CLOSES = time(9), time(17)
INSTANT = timedelta(microseconds=1)
LAST_YEAR = 2100  # as far as `holidays` looks ahead
NEVER = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)

SATURDAY = 5
# Abbreviations such as EST or EST5EDT tell how clocks go, in more than one country.
ABBREVIATION = re.compile(r"[A-Z][ES]T(\d[A-Z]DT)?")
# Old names that tzdata has joined to a zone of another country, because the clocks agree.
JOINED = {
    "Africa/Asmera": "ER",
    "Africa/Timbuktu": "ML",
    "America/Coral_Harbour": "CA",
    "America/Virgin": "VI",
    "Atlantic/Jan_Mayen": "SJ",
    "Iceland": "IS",
    "Pacific/Ponape": "FM",
    "Pacific/Truk": "FM",
    "Pacific/Yap": "FM",
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work in one time zone. All moments that go in are aware, else ValueError."""

    zone: ZoneInfo
    country: str | None

    def is_open(self, at: datetime) -> bool:
        """Whether `at` is in business time."""
        at = _utc(at)
        return self._year(self._local_year(at)).is_open(at)

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Return the business time from `start` to `end`: none if `end` is the earlier."""
        start, end = _utc(start), _utc(end)
        if end <= start:
            return timedelta()
        years = map(self._year, range(self._local_year(start), self._local_year(end) + 1))
        return sum((year.passed(end) - year.passed(start) for year in years), timedelta())

    def after(self, start: datetime, duration: timedelta) -> datetime:
        """Return the first moment, in UTC, by which `duration` of business time has passed.

        `start` itself if `duration` is not above zero; NEVER if it ends after the last year.
        """
        start = _utc(start)
        if duration <= timedelta():
            return start
        for year in map(self._year, range(self._local_year(start), LAST_YEAR + 1)):
            passed = year.passed(start)
            left = year.passed_before[-1] - passed
            if duration <= left:
                return year.moment(passed + duration)
            duration -= left
        return NEVER

    def open_from(self, at: datetime) -> datetime:
        """Return `at`, in UTC, if it is in business time, else when that begins again."""
        return _utc(at) if self.is_open(at) else self.after(at, INSTANT) - INSTANT

    def _local_year(self, at: datetime) -> int:
        return at.astimezone(self.zone).year

    def _year(self, number: int) -> "_Year":
        return _lay_out(self.zone, self.country, number)


@dataclass(frozen=True, slots=True)
class _Year:
    """The business days of one year, in UTC: when each opens and closes, what passed before it."""

    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]
    passed_before: tuple[timedelta, ...]  # one more than there are days: the last is the whole year

    def is_open(self, at: datetime) -> bool:
        begun = bisect_right(self.opens, at)
        return begun > 0 and at < self.closes[begun - 1]

    def passed(self, at: datetime) -> timedelta:
        """Return the business time of this year before `at`, which may be in another year."""
        begun = bisect_right(self.opens, at)
        if not begun:
            return timedelta()
        today = min(at, self.closes[begun - 1]) - self.opens[begun - 1]
        return self.passed_before[begun - 1] + today

    def moment(self, passed: timedelta) -> datetime:
        """Return when `passed` of this year's business time, above zero, is over."""
        day = bisect_left(self.passed_before, passed) - 1
        return self.opens[day] + (passed - self.passed_before[day])


def calendar_of(timezone: str | None, default: str) -> Calendar:
    """Return the calendar of `timezone`, or of `default` where that is not known or no time zone.

    Raises ValueError if `default` is no time zone either.
    """
    calendar = _calendar(timezone or default) or _calendar(default)
    if calendar is None:
        raise ValueError("There is no such time zone.")
    return calendar


def country_of(timezone: str) -> str | None:
    """Return the code of the country that a time zone, or an old name of one, belongs to."""
    countries, renamed = _tables()
    if timezone in JOINED:
        return JOINED[timezone]
    if ABBREVIATION.fullmatch(timezone):
        return None
    return countries.get(timezone) or countries.get(renamed.get(timezone, ""))


@lru_cache(maxsize=1024)
def _calendar(timezone: str) -> Calendar | None:
    try:
        return Calendar(ZoneInfo(timezone), country_of(timezone))
    except (KeyError, ValueError, OSError):  # no such zone; no name at all; `America`, a folder
        return None


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    """Return the country of each zone, and the zone that each old name stands for."""
    folder = resources.files("tzdata") / "zoneinfo"
    rows = (row.split("\t") for row in (folder / "zone.tab").read_text("utf-8").splitlines())
    countries = {row[2]: row[0] for row in rows if len(row) > 2 and not row[0].startswith("#")}
    lines = (line.split() for line in (folder / "tzdata.zi").read_text("utf-8").splitlines())
    return countries, {line[2]: line[1] for line in lines if line and line[0] == "L"}


@lru_cache(maxsize=512)
def _lay_out(zone: ZoneInfo, country: str | None, year: int) -> _Year:
    opens, closes = [], []
    for day in _working_days(country, year):
        opened = datetime.combine(day, OPENS, zone).astimezone(UTC)
        if opened.astimezone(zone).date() == day:  # Samoa, for one, had no 30 December 2011
            opens.append(opened)
            closes.append(datetime.combine(day, CLOSES, zone).astimezone(UTC))
    hours = [closed - opened for opened, closed in zip(opens, closes, strict=True)]
    return _Year(tuple(opens), tuple(closes), tuple(accumulate(hours, initial=timedelta())))


@lru_cache(maxsize=512)
def _working_days(country: str | None, year: int) -> tuple[date, ...]:
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    days = map(date.fromordinal, range(first, last + 1))
    if country is None:
        return tuple(day for day in days if day.weekday() < SATURDAY)

    from holidays import country_holidays  # slow to import, and not needed until now

    with warnings.catch_warnings():  # some countries' holidays are known for some years only
        warnings.simplefilter("ignore")
        calendar = country_holidays(country, years=year)
    return tuple(day for day in days if calendar.is_working_day(day))


def _utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("A moment needs its time zone.")
    return at.astimezone(UTC)
