"""The day named by a message in the thread that was sent on Monday, November 16."""

from datetime import date

import pytest

from bot.onboarding.days import FARTHEST, named_day

MONDAY = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("waiting for our IT, back Thursday", "11-19"),
        ("Waiting for IT (they said Thurs.)", "11-19"),
        ("Can we pick this up Friday?", "11-20"),
        ("I was out, back on Wednesday", "11-18"),
        ("Out Tuesday and Wednesday, back Thursday", "11-19"),
        ("next Thursday works better", "11-26"),
        ("we need to wait until monday", "11-23"),
        ("I'll get to it next week", "11-23"),
        ("end of next week", "11-27"),
        ("We'll be done by the end of the week", "11-20"),
        ("tomorrow", "11-17"),
        ("the day after tomorrow", "11-18"),
        ("in a couple of days", "11-18"),
        ("in a few days", "11-19"),
        ("in three days", "11-19"),
        ("in four days", "11-20"),
        ("in five days", "11-21"),
        ("in six days", "11-22"),
        ("give us two weeks; back in two weeks", "11-30"),
        ("on the 12th", "12-12"),
        ("on vacation till the 30th", "11-30"),
        ("Bob is back from PTO Nov 23, then we'll continue", "11-23"),
        ("out until 3 December", "12-03"),
        ("not until next month", "12-01"),
    ],
)
def test_a_message_naming_a_day_to_wait_for_is_understood(text: str, day: str) -> None:
    assert named_day(text, MONDAY) == date.fromisoformat(f"2026-{day}")


def test_next_month_after_december_is_january() -> None:
    assert named_day("not until next month", date(2026, 12, 14)) == date(2027, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "thanks",
        "Monday",
        "We signed up last Thursday",
        "Thursday we finished step 5",
        "it's been like this since Friday",
        "stuck at the 3rd step",
        "the 2nd try failed",
        "see the May 12 invoice",
        "port 443 is open",
        "I sat down with Sun",
        "We may 50 times",
        "the 99th",
        "30 February",
    ],
)
def test_a_message_without_a_day_to_wait_for_is_ignored(text: str) -> None:
    assert named_day(text, MONDAY) is None


def test_a_named_day_is_capped_at_a_month_and_long_text_is_ignored() -> None:
    assert named_day("back on January 20", MONDAY) == MONDAY + FARTHEST
    assert named_day("x" * 5000 + " back Thursday", MONDAY) is None
