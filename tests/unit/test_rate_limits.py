"""How fast Slack may be called, and what waits when it asks to wait."""

import pytest

from bot.slack.rate_limits import PER_MINUTE, Pace

HERE, ELSEWHERE, THIRD = "C0HERE", "C0ELSEWHERE", "C0THIRD"
POST, EDIT = "chat.postMessage", "chat.update"


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def goes_on(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def test_a_channel_that_is_full_keeps_no_other_waiting(pace: Pace) -> None:
    pace.refused(POST, HERE, 3)

    assert pace.wait(POST, HERE) == 3
    assert pace.wait(POST, ELSEWHERE) == 0
    assert pace.wait(EDIT, "") == 0


def test_two_full_channels_hold_up_no_third_but_what_nobody_waits_for(pace: Pace) -> None:
    pace.refused(POST, HERE, 3)
    pace.refused(POST, ELSEWHERE, 30)

    assert pace.wait(POST, THIRD) == 0
    assert pace.leisure() > 30


def test_the_first_answer_after_a_failure_is_told_of_once(pace: Pace, clock: Clock) -> None:
    told = list[float]()
    pace.on_return = told.append
    pace.answered()
    clock.goes_on(7)
    for _ in range(3):
        pace.failed()
        clock.goes_on(1)
    pace.answered()
    pace.answered()

    assert told == [7]


def test_other_methods_are_limited_for_all_channels_alike(pace: Pace, clock: Clock) -> None:
    pace.refused(EDIT, HERE, 10)
    assert pace.wait(EDIT, ELSEWHERE) == 10

    clock.goes_on(10)

    assert pace.wait(EDIT, ELSEWHERE) == 0


def test_a_shorter_wait_does_not_take_back_a_longer_one(pace: Pace) -> None:
    pace.refused(EDIT, "", 60)
    pace.refused(EDIT, "", 1)

    assert pace.wait(EDIT, "") == 60


def test_what_nobody_waits_for_is_spread_below_what_slack_allows(pace: Pace, clock: Clock) -> None:
    made = 0
    began = clock.now
    while clock.now - began < 600:
        if seconds := pace.leisure():
            clock.goes_on(seconds)
        pace.made(EDIT)
        made += 1

    assert made / 10 == pytest.approx(PER_MINUTE[EDIT], rel=0.02)


def test_a_call_or_two_need_not_be_spread(pace: Pace) -> None:
    pace.made(POST)
    pace.made(POST)
    assert pace.leisure() == 0

    pace.made(EDIT)
    pace.made(EDIT)

    assert pace.leisure() > 0


def test_people_in_haste_cost_what_nobody_waits_for_a_minute_at_most(pace: Pace) -> None:
    for _ in range(1000):
        pace.made(EDIT)

    assert 0 < pace.leisure() <= 60


def test_after_a_limit_what_nobody_waits_for_lies_low_for_a_while(pace: Pace) -> None:
    pace.refused(EDIT, "", 5)

    assert pace.leisure() > 5


def test_one_full_channel_does_not_hold_up_what_was_left_behind(pace: Pace) -> None:
    pace.refused(POST, HERE, 5)

    assert pace.leisure() == 0
