"""Business time: 09:00–17:00 on the working days of a client's country. Pure.

The country comes from the time zone, by tzdata's tables; its weekends and national holidays come
from the library `holidays`. A time zone without a country (`UTC`, `Etc/GMT+5`, `CET`) has weekends
and no holidays. The working days of a year are computed once; answers are then binary searches.
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
BUSINESS_DAY = timedelta(hours=8)
INSTANT = timedelta(microseconds=1)
LAST_YEAR = 2100  # as far as `holidays` looks ahead
NEVER = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)

SATURDAY = 5
# Zones such as EST or EST5EDT belong to no single country.
ABBREVIATION = re.compile(r"[A-Z][ES]T(\d[A-Z]DT)?")
# Old names that tzdata links to a zone of another country, because the clocks agree.
LINKED = {
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
    """The business hours of one time zone. Naive times raise ValueError."""

    zone: ZoneInfo
    country: str | None

    def is_open(self, at: datetime) -> bool:
        at = _utc(at)
        return self._year(self._local_year(at)).is_open(at)

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Return the business time from `start` to `end`, zero if `end` is earlier."""
        start, end = _utc(start), _utc(end)
        if end <= start:
            return timedelta()
        years = map(self._year, range(self._local_year(start), self._local_year(end) + 1))
        return sum((year.passed(end) - year.passed(start) for year in years), timedelta())

    def after(self, start: datetime, duration: timedelta) -> datetime:
        """Return when `duration` of business time has passed, in UTC.

        That is `start` if `duration` is not positive, and NEVER if it is beyond the last year.
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
        """Return `at`, in UTC, or the next opening if it is outside business time."""
        return _utc(at) if self.is_open(at) else self.after(at, INSTANT) - INSTANT

    def _local_year(self, at: datetime) -> int:
        return at.astimezone(self.zone).year

    def _year(self, number: int) -> "_Year":
        return _business_year(self.zone, self.country, number)


@dataclass(frozen=True, slots=True)
class _Year:
    """The business days of one year, in UTC: opening, closing, and business time before each."""

    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]
    passed_before: tuple[timedelta, ...]  # and, last, that of the whole year

    def is_open(self, at: datetime) -> bool:
        begun = bisect_right(self.opens, at)
        return begun > 0 and at < self.closes[begun - 1]

    def passed(self, at: datetime) -> timedelta:
        """Return this year's business time before `at`, which may be in another year."""
        begun = bisect_right(self.opens, at)
        if not begun:
            return timedelta()
        today = min(at, self.closes[begun - 1]) - self.opens[begun - 1]
        return self.passed_before[begun - 1] + today

    def moment(self, passed: timedelta) -> datetime:
        """Return when `passed`, which is positive, of this year's business time is over."""
        day = bisect_left(self.passed_before, passed) - 1
        return self.opens[day] + (passed - self.passed_before[day])


def calendar_of(timezone: str | None, default: str) -> Calendar:
    """Return the calendar of `timezone`, or of `default` if that is None or unknown.

    Raises ValueError if `default` is unknown too.
    """
    calendar = _calendar(timezone or default) or _calendar(default)
    if calendar is None:
        raise ValueError("There is no such time zone.")
    return calendar


def country_of(timezone: str) -> str | None:
    """Return the country code of a time zone, which may be an old name."""
    countries, renamed = _tables()
    if timezone in LINKED:
        return LINKED[timezone]
    if ABBREVIATION.fullmatch(timezone):
        return None
    return countries.get(timezone) or countries.get(renamed.get(timezone, ""))


@lru_cache(maxsize=1024)
def _calendar(timezone: str) -> Calendar | None:
    try:
        return Calendar(ZoneInfo(timezone), country_of(timezone))
    except (KeyError, ValueError, OSError):  # unknown; not a name; a folder, such as `America`
        return None


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    """Return the country of each zone, and the zone that each old name links to."""
    folder = resources.files("tzdata") / "zoneinfo"
    rows = (row.split("\t") for row in (folder / "zone.tab").read_text("utf-8").splitlines())
    countries = {row[2]: row[0] for row in rows if len(row) > 2 and not row[0].startswith("#")}
    lines = (line.split() for line in (folder / "tzdata.zi").read_text("utf-8").splitlines())
    return countries, {line[2]: line[1] for line in lines if line and line[0] == "L"}


@lru_cache(maxsize=512)
def _business_year(zone: ZoneInfo, country: str | None, year: int) -> _Year:
    opens, closes = [], []
    for day in _working_days(country, year):
        opened = datetime.combine(day, OPENS, zone).astimezone(UTC)
        if opened.astimezone(zone).date() == day:  # Samoa had no 30 December 2011
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

    from holidays import country_holidays  # slow to import

    with warnings.catch_warnings():  # it warns of years that it does not know
        warnings.simplefilter("ignore")
        calendar = country_holidays(country, years=year)
    return tuple(day for day in days if calendar.is_working_day(day))


def _utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("A moment needs its time zone.")
    return at.astimezone(UTC)
