"""Business time, by example and by property: zones, DST, weekends, holidays, odd dates."""

from datetime import UTC, date, datetime, time, timedelta
from time import process_time
from zoneinfo import ZoneInfo, available_timezones

import pytest
from holidays import country_holidays
from hypothesis import given, strategies as st

from bot.onboarding.business_time import LAST_YEAR, NEVER, Calendar, calendar_of, country_of

NEW_YORK, LONDON, LORD_HOWE = "America/New_York", "Europe/London", "Australia/Lord_Howe"
APIA, JERUSALEM, DUBAI, RIYADH = "Pacific/Apia", "Asia/Jerusalem", "Asia/Dubai", "Asia/Riyadh"
TEHRAN = "Asia/Tehran"
ZERO = timedelta()
QUARTER = timedelta(minutes=15)


def calendar_in(zone: str) -> Calendar:
    return calendar_of(zone, "UTC")


def at(local: str, zone: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


ELAPSED = [
    ("a working day, midnight to midnight", NEW_YORK, "2026-11-23 00:00", "2026-11-24 00:00", 8),
    ("within the hours", NEW_YORK, "2026-11-23 10:00", "2026-11-23 12:30", 2.5),
    ("before the hours", NEW_YORK, "2026-11-23 05:00", "2026-11-23 09:00", 0),
    ("after the hours", NEW_YORK, "2026-11-23 17:00", "2026-11-23 23:59", 0),
    ("overnight", NEW_YORK, "2026-11-23 16:00", "2026-11-24 10:00", 2),
    ("over a weekend", NEW_YORK, "2026-11-20 16:00", "2026-11-23 10:00", 2),
    ("a week", NEW_YORK, "2026-11-09 00:00", "2026-11-16 00:00", 32),  # with Veterans Day
    ("no time at all", NEW_YORK, "2026-11-23 12:00", "2026-11-23 12:00", 0),
    ("the clock jumped back", NEW_YORK, "2026-11-23 12:00", "2026-11-23 11:00", 0),
    ("the clock jumped back a year", NEW_YORK, "2026-11-23 12:00", "2025-11-23 12:00", 0),
    ("the clock jumped ahead a year", NEW_YORK, "2026-01-01 00:00", "2027-01-01 00:00", 250 * 8),
    ("DST begins on a weekend", NEW_YORK, "2026-03-06 16:00", "2026-03-09 10:00", 2),
    ("DST ends on a weekend", NEW_YORK, "2026-10-30 16:00", "2026-11-02 10:00", 2),
    ("DST begins in London", LONDON, "2026-03-27 16:00", "2026-03-30 10:00", 2),
    ("DST ends in London", LONDON, "2026-10-23 16:00", "2026-10-26 10:00", 2),
    ("half-hour DST begins", LORD_HOWE, "2026-10-02 16:00", "2026-10-05 10:00", 2),
    ("half-hour DST ends", LORD_HOWE, "2027-04-02 16:00", "2027-04-05 10:00", 2),
    ("DST ends between two working days", TEHRAN, "2020-09-20 16:00", "2020-09-21 10:00", 2),
    ("Samoa had no Friday 30 December", APIA, "2011-12-29 00:00", "2011-12-31 23:59", 8),
    # 1 and 2 January are holidays there.
    ("over the date that Samoa skipped", APIA, "2011-12-29 16:00", "2012-01-03 10:00", 2),
    ("a leap day", NEW_YORK, "2028-02-28 16:00", "2028-03-01 10:00", 10),
    ("not a leap year", NEW_YORK, "2027-02-26 16:00", "2027-03-01 10:00", 2),
    ("Thanksgiving", NEW_YORK, "2026-11-25 16:00", "2026-11-27 10:00", 2),
    ("the Friday after Thanksgiving", NEW_YORK, "2026-11-27 00:00", "2026-11-28 00:00", 8),
    ("New Year", NEW_YORK, "2025-12-31 16:00", "2026-01-02 10:00", 2),
    ("New Year, observed in the old year", NEW_YORK, "2027-12-31 00:00", "2028-01-01 00:00", 0),
    ("4 July on a Saturday", NEW_YORK, "2026-07-02 16:00", "2026-07-06 10:00", 2),
    ("4 July on a Sunday", NEW_YORK, "2027-07-02 16:00", "2027-07-06 10:00", 2),
    ("a regional holiday", NEW_YORK, "2026-04-03 00:00", "2026-04-04 00:00", 8),  # Good Friday
    ("Good Friday in London", LONDON, "2026-04-03 00:00", "2026-04-04 00:00", 0),
    ("Friday in Israel", JERUSALEM, "2026-11-20 00:00", "2026-11-21 00:00", 0),
    ("Sunday in Israel", JERUSALEM, "2026-11-22 00:00", "2026-11-23 00:00", 8),
    ("Friday in Saudi Arabia", RIYADH, "2026-11-20 00:00", "2026-11-21 00:00", 0),
    ("Sunday in Saudi Arabia", RIYADH, "2026-11-22 00:00", "2026-11-23 00:00", 8),
    ("Friday in Dubai", DUBAI, "2026-11-20 00:00", "2026-11-21 00:00", 8),
    ("Friday in Dubai before 2022", DUBAI, "2020-11-20 00:00", "2020-11-21 00:00", 0),
    ("a working Sunday in China", "Asia/Shanghai", "2025-01-26 00:00", "2025-01-27 00:00", 8),
    ("a zone without a country, New Year", "UTC", "2026-01-01 00:00", "2026-01-02 00:00", 8),
    ("a zone without a country, Saturday", "UTC", "2026-01-03 00:00", "2026-01-04 00:00", 0),
    ("New Year where UTC is still in the old year", "Pacific/Kiritimati", "2026-12-31 16:00",
     "2027-01-04 10:00", 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "start", "end", "expected"),
    [pytest.param(*row, id=f"{case} -> {row[-1]} h") for case, *row in ELAPSED],
)
def test_elapsed_counts_only_business_hours(
    zone: str, start: str, end: str, expected: float
) -> None:
    assert calendar_in(zone).elapsed(at(start, zone), at(end, zone)) == hours(expected)


AFTER = [
    ("within the day", NEW_YORK, "2026-11-23 10:00", 3, "2026-11-23 13:00"),
    ("the rest of the day", NEW_YORK, "2026-11-23 10:00", 7, "2026-11-23 17:00"),
    ("a whole day from the middle", NEW_YORK, "2026-11-23 10:00", 8, "2026-11-24 10:00"),
    ("a whole day from before it", NEW_YORK, "2026-11-23 03:00", 8, "2026-11-23 17:00"),
    ("three days", NEW_YORK, "2026-11-16 10:00", 24, "2026-11-19 10:00"),
    ("from the evening", NEW_YORK, "2026-11-23 21:00", 1, "2026-11-24 10:00"),
    ("from Friday at closing time", NEW_YORK, "2026-11-20 17:00", 1, "2026-11-23 10:00"),
    ("from a Sunday", NEW_YORK, "2026-11-22 12:00", 8, "2026-11-23 17:00"),
    ("over Thanksgiving", NEW_YORK, "2026-11-25 10:00", 8, "2026-11-27 10:00"),
    ("from Thanksgiving itself", NEW_YORK, "2026-11-26 10:00", 1, "2026-11-27 10:00"),
    ("over Christmas and New Year", NEW_YORK, "2026-12-24 16:00", 34, "2027-01-04 10:00"),
    ("over 4 July on a Saturday", NEW_YORK, "2026-07-02 10:00", 8, "2026-07-06 10:00"),
    ("over a leap day", NEW_YORK, "2028-02-28 10:00", 16, "2028-03-01 10:00"),
    ("into a leap day", NEW_YORK, "2028-02-28 10:00", 8, "2028-02-29 10:00"),
    ("from the hour that DST skips", NEW_YORK, "2026-03-08 02:30", 1, "2026-03-09 10:00"),
    ("from the hour that DST repeats", NEW_YORK, "2026-11-01 01:30", 1, "2026-11-02 10:00"),
    ("over the start of DST", NEW_YORK, "2026-03-06 10:00", 8, "2026-03-09 10:00"),
    ("over the end of DST", NEW_YORK, "2026-10-30 10:00", 8, "2026-11-02 10:00"),
    ("over the start of summer time", LONDON, "2026-03-27 10:00", 8, "2026-03-30 10:00"),
    ("over the end of summer time", LONDON, "2026-10-23 10:00", 8, "2026-10-26 10:00"),
    ("over half-hour DST", LORD_HOWE, "2026-10-02 10:00", 8, "2026-10-05 10:00"),
    ("over the date that Samoa skipped", APIA, "2011-12-29 10:00", 8, "2012-01-03 10:00"),
    ("over Israel's weekend", JERUSALEM, "2026-11-19 10:00", 8, "2026-11-22 10:00"),
    ("until the end of the year", NEW_YORK, "2026-12-31 03:00", 8, "2026-12-31 17:00"),
    ("half a year", NEW_YORK, "2026-11-16 10:00", 8 * 120, "2027-05-10 10:00"),
]


@pytest.mark.parametrize(
    ("zone", "start", "duration", "expected"),
    [pytest.param(*row, id=f"{case}, {row[2]} h -> {row[-1]}") for case, *row in AFTER],
)
def test_after_adds_only_business_hours(
    zone: str, start: str, duration: float, expected: str
) -> None:
    end = calendar_in(zone).after(at(start, zone), hours(duration))

    assert end.tzinfo is UTC
    assert end.astimezone(ZoneInfo(zone)) == at(expected, zone)


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        (NEW_YORK, "2026-11-23 08:59:59", False),
        (NEW_YORK, "2026-11-23 09:00", True),
        (NEW_YORK, "2026-11-23 16:59:59", True),
        (NEW_YORK, "2026-11-23 17:00", False),
        (NEW_YORK, "2026-11-22 12:00", False),
        (NEW_YORK, "2026-11-26 12:00", False),
        (NEW_YORK, "2026-01-01 00:00", False),
        (LORD_HOWE, "2026-10-05 09:00", True),
        (JERUSALEM, "2026-11-22 12:00", True),
    ],
)
def test_business_is_open_from_nine_to_five_on_working_days(
    zone: str, local: str, expected: bool
) -> None:
    assert calendar_in(zone).is_open(at(local, zone)) is expected


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        (NEW_YORK, "US"),
        ("America/Phoenix", "US"),
        ("America/Creston", "CA"),  # Phoenix's clocks
        (LONDON, "GB"),
        ("Europe/Jersey", "JE"),
        ("Europe/Oslo", "NO"),
        ("US/Eastern", "US"),
        ("US/Arizona", "US"),
        ("GB", "GB"),
        ("Singapore", "SG"),
        ("Asia/Calcutta", "IN"),
        ("Europe/Kiev", "UA"),
        ("Asia/Tel_Aviv", "IL"),
        ("America/Montreal", "CA"),
        ("America/Coral_Harbour", "CA"),  # joined to Panama
        ("Iceland", "IS"),  # joined to Ivory Coast
        ("America/Virgin", "VI"),
        ("EST", None),  # joined to Panama
        ("CET", None),  # joined to Belgium
        ("EST5EDT", None),
        ("UTC", None),
        ("GMT", None),
        ("Etc/GMT+5", None),
        ("Factory", None),
        ("Mars/Olympus_Mons", None),
    ],
)
def test_a_time_zone_maps_to_its_country(zone: str, country: str | None) -> None:
    assert country_of(zone) == country


def test_every_time_zone_has_a_plausible_number_of_working_days() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)

    for zone in sorted(available_timezones()):
        working = calendar_of(zone, "UTC").elapsed(start, start + timedelta(days=28))

        assert hours(8 * 15) <= working <= hours(8 * 26), zone


@pytest.mark.parametrize(
    "unknown",
    [None, "", "Mars/Olympus_Mons", "America", "../etc/passwd", "x\0y", "New York", "x" * 5000],
    ids=repr,
)
def test_an_unknown_time_zone_falls_back_to_the_default(unknown: str | None) -> None:
    assert calendar_of(unknown, NEW_YORK) == calendar_in(NEW_YORK)


def test_an_invalid_default_time_zone_is_rejected() -> None:
    with pytest.raises(ValueError, match="no such time zone"):
        calendar_of(None, "Mars/Olympus_Mons")


def test_a_naive_datetime_is_rejected() -> None:
    naive, aware = datetime(2026, 11, 23, 9), datetime(2026, 11, 23, 9, tzinfo=UTC)  # noqa: DTZ001
    calendar = calendar_in(NEW_YORK)

    for call in (
        lambda: calendar.is_open(naive),
        lambda: calendar.elapsed(naive, aware),
        lambda: calendar.elapsed(aware, naive),
        lambda: calendar.after(naive, hours(1)),
    ):
        with pytest.raises(ValueError, match="time zone"):
            call()


@pytest.mark.parametrize("duration", [ZERO, hours(-1)], ids=str)
def test_a_zero_or_negative_duration_ends_immediately_even_at_night(duration: timedelta) -> None:
    night = at("2026-11-22 03:00", NEW_YORK)

    assert calendar_in(NEW_YORK).after(night, duration) == night


@pytest.mark.parametrize(
    ("year", "duration"),
    [(2026, timedelta.max), (LAST_YEAR, hours(1)), (LAST_YEAR + 1, hours(1))],
)
def test_an_end_beyond_the_last_supported_year_is_never(year: int, duration: timedelta) -> None:
    assert calendar_in(NEW_YORK).after(datetime(year, 12, 31, 22, tzinfo=UTC), duration) == NEVER


@pytest.mark.parametrize("year", [1970, 2036, 2099])
def test_years_with_incomplete_holiday_data_still_count(year: int) -> None:
    start = datetime(year, 6, 1, tzinfo=UTC)
    working = calendar_in("Asia/Kolkata").elapsed(start, start + timedelta(days=28))

    assert hours(8 * 18) <= working <= hours(8 * 20)


def test_long_durations_are_computed_quickly() -> None:
    calendar, start = calendar_in(NEW_YORK), at("2026-11-23 10:00", NEW_YORK)
    calendar.elapsed(start, start + timedelta(days=730))
    began = process_time()

    for minutes in range(1000):
        end = calendar.after(start, timedelta(days=90, minutes=minutes))
        calendar.elapsed(start, end)

    assert process_time() - began < 0.5  # it takes a fiftieth of that


ZONES = st.sampled_from(
    [NEW_YORK, LONDON, LORD_HOWE, APIA, JERUSALEM, DUBAI, "Asia/Kolkata", "Asia/Shanghai", "UTC"]
)
MOMENTS = st.datetimes(
    datetime(2011, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2034, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
DURATIONS = st.timedeltas(ZERO, timedelta(days=60))


@given(ZONES, MOMENTS, DURATIONS)
def test_elapsed_time_until_the_end_equals_the_duration(
    zone: str, start: datetime, duration: timedelta
) -> None:
    calendar = calendar_in(zone)
    end = calendar.after(start, duration)

    assert calendar.elapsed(start, end) == duration
    if duration:
        assert calendar.elapsed(start, end - timedelta(microseconds=1)) < duration


@given(ZONES, MOMENTS, DURATIONS, DURATIONS)
def test_a_longer_duration_ends_no_earlier(
    zone: str, start: datetime, first: timedelta, second: timedelta
) -> None:
    calendar = calendar_in(zone)
    short, long = sorted((first, second))

    assert start <= calendar.after(start, short) <= calendar.after(start, long)


@given(ZONES, MOMENTS, DURATIONS, DURATIONS)
def test_consecutive_durations_add_up(
    zone: str, start: datetime, first: timedelta, second: timedelta
) -> None:
    calendar = calendar_in(zone)

    assert calendar.after(calendar.after(start, first), second) == calendar.after(
        start, first + second
    )


@given(ZONES, st.lists(MOMENTS, min_size=3, max_size=3))
def test_elapsed_time_is_additive(zone: str, moments: list[datetime]) -> None:
    calendar = calendar_in(zone)
    first, second, third = sorted(moments)
    parts = calendar.elapsed(first, second), calendar.elapsed(second, third)

    assert parts[0] + parts[1] == calendar.elapsed(first, third)
    assert min(parts) >= ZERO
    assert calendar.elapsed(third, first) == ZERO


@given(
    st.sampled_from([NEW_YORK, LONDON, LORD_HOWE, APIA]),
    st.dates(date(2011, 1, 1), date(2034, 12, 1)),
)
def test_business_hours_match_local_wall_clock_time(zone: str, day: date) -> None:
    calendar = calendar_in(zone)
    holidays = country_holidays(calendar.country or "", years=(day.year, day.year + 1))
    start = datetime.combine(day, time(), UTC)
    quarters = [start + QUARTER * number for number in range(10 * 24 * 4)]

    working = 0
    for quarter in quarters:
        wall = quarter.astimezone(ZoneInfo(zone))
        expected = wall.weekday() < 5 and wall.date() not in holidays and 9 <= wall.hour < 17
        assert calendar.is_open(quarter) is expected, wall
        working += expected

    assert calendar.elapsed(start, quarters[-1] + QUARTER) == QUARTER * working
