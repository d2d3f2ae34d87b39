"""When the weekly digest is due."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from bot.onboarding.reporting.weekly import Weekly


@pytest.mark.parametrize(
    ("typed", "read"),
    [("Mon 09:00", "Mon 09:00"), ("friday 8:30", "Fri 08:30"), ("07:15", "Mon 07:15")],
)
def test_digest_times_are_parsed_as_people_write_them(typed: str, read: str) -> None:
    assert str(Weekly.parse(typed)) == read


@pytest.mark.parametrize(
    "typed", ["", "Mon", "Mon 25:00", "Someday 09:00", "9", "Mon 09:60", "m 09:00"]
)
def test_invalid_digest_times_are_rejected(typed: str) -> None:
    assert Weekly.parse(typed) is None


def test_the_digest_keeps_its_local_time_when_dst_begins() -> None:
    zone, at = ZoneInfo("America/New_York"), Weekly(6, time(9))
    assert at.due(datetime(2026, 3, 8, 12, 59, tzinfo=ZoneInfo("UTC")), zone) is None
    assert at.due(datetime(2026, 3, 8, 13, 0, tzinfo=ZoneInfo("UTC")), zone)
