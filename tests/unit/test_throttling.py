"""How often something is allowed, and how long to wait until it is allowed again."""

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
        ([12, 11, 1], None),  # the others have expired
        ([10, 1], None),  # exactly one period ago no longer counts
        ([9, 1], 1),
        ([1, 9], 1),  # in any order
        ([9, 4, 3], 6),  # three already: until the second to last has expired
        ([0, 0], 10),
        ([-5, 1], None),  # in the future, by another clock
    ],
)
def test_at_the_limit_the_wait_lasts_until_enough_uses_have_expired(
    minutes_ago: list[int], wait: int | None
) -> None:
    times = [NOW - minutes * MINUTE for minutes in minutes_ago]

    assert TWICE.wait(times, NOW) == (None if wait is None else wait * MINUTE)
