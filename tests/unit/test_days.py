"""Parsing a day as people type it: a weekday, a date, or “in two weeks”."""

from datetime import date

import pytest

from bot.onboarding.days import day_in

FRIDAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("Monday", "2026-11-30"),
        ("mon.", "2026-11-30"),
        ("Friday", "2026-12-04"),
        ("next Monday", "2026-11-30"),
        ("tomorrow", "2026-11-28"),
        ("Monday morning", "2026-11-30"),
        ("Monday, Nov 30", "2026-11-30"),
        ("2026-12-01", "2026-12-01"),
        ("Dec 1", "2026-12-01"),
        ("December 1st", "2026-12-01"),
        ("1st of December 2026", "2026-12-01"),
        ("the 1st", "2026-12-01"),
        ("12/1", "2026-12-01"),
        ("1/5/27", "2027-01-05"),
        ("Jan 5", "2027-01-05"),
        ("in two weeks", "2026-12-11"),
        ("next week", "2026-11-30"),
        ("Nov 26", "2026-11-26"),
    ],
)
def test_days_are_parsed_from_common_phrasings(words: str, day: str) -> None:
    assert day_in(words, FRIDAY) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "words", ["", "soon", "Tuesday, Nov 30", "Feb 30", "Dec", "1", "Monday 2pm", "13/1", "lunch 5"]
)
def test_ambiguous_or_invalid_days_are_not_parsed(words: str) -> None:
    assert day_in(words, FRIDAY) is None
