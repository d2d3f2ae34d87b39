"""How often something may be done, and how long to wait for the next time."""

from datetime import timedelta

import pytest

from bot.onboarding.throttling import Rate
from tests.builders import NOW

MINUTE = timedelta(minutes=1)
TWICE = Rate(2, timedelta(minutes=10))


@pytest.mark.parametrize(
    ("minutes_ago", "wait"),
    [
        ([], None),
        ([1], None),
        ([12, 11, 1], None),  # the others are too long ago
        ([10, 1], None),  # exactly the period ago counts no more
        ([9, 1], 1),
        ([1, 9], 1),  # in any order
        ([9, 4, 3], 6),  # three already: until the second but last is too old
        ([0, 0], 10),
        ([-5, 1], None),  # in the future, by another clock
    ],
)
def test_after_too_many_one_waits_until_the_earliest_is_old_enough(
    minutes_ago: list[int], wait: int | None
) -> None:
    times = [NOW - minutes * MINUTE for minutes in minutes_ago]

    assert TWICE.wait(times, NOW) == (None if wait is None else wait * MINUTE)
