"""How fast Slack may be called, and what waits when it asks to wait."""

import pytest

from bot.slack.rate_limits import (
    BACKGROUND_PER_MINUTE,
    HARMLESS,
    LEISURELY,
    PER_MINUTE,
    UNHURRIED,
    RateLimits,
)

HERE, ELSEWHERE, THIRD = "C0HERE", "C0ELSEWHERE", "C0THIRD"
POST, EDIT, LOOKUP = "chat.postMessage", "chat.update", "users.info"


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
def rate_limits(clock: Clock) -> RateLimits:
    return RateLimits(clock)


def test_a_channel_that_is_full_keeps_no_other_waiting(rate_limits: RateLimits) -> None:
    rate_limits.refused(POST, HERE, 3)

    assert rate_limits.wait(POST, HERE) == 3
    assert rate_limits.wait(POST, ELSEWHERE) == 0
    assert rate_limits.wait(EDIT, "") == 0


def test_two_full_channels_hold_up_no_third_but_what_nobody_waits_for(
    rate_limits: RateLimits,
) -> None:
    rate_limits.refused(POST, HERE, 3)
    rate_limits.refused(POST, ELSEWHERE, 30)

    assert rate_limits.wait(POST, THIRD) == 0
    assert rate_limits.background_delay() > 30


def test_the_first_answer_after_a_failure_is_told_of_once(
    rate_limits: RateLimits, clock: Clock
) -> None:
    told = list[float]()
    rate_limits.on_return = told.append
    rate_limits.answered()
    clock.goes_on(7)
    for _ in range(3):
        rate_limits.failed()
        clock.goes_on(1)
    rate_limits.answered()
    rate_limits.answered()

    assert told == [7]


def test_other_methods_are_limited_for_all_channels_alike(
    rate_limits: RateLimits, clock: Clock
) -> None:
    rate_limits.refused(EDIT, HERE, 10)
    assert rate_limits.wait(EDIT, ELSEWHERE) == 10

    clock.goes_on(10)

    assert rate_limits.wait(EDIT, ELSEWHERE) == 0


def test_a_shorter_wait_does_not_take_back_a_longer_one(rate_limits: RateLimits) -> None:
    rate_limits.refused(EDIT, "", 60)
    rate_limits.refused(EDIT, "", 1)

    assert rate_limits.wait(EDIT, "") == 60


def test_what_nobody_waits_for_is_spread_below_what_slack_allows(
    rate_limits: RateLimits, clock: Clock
) -> None:
    made = 0
    began = clock.now
    while clock.now - began < 600:
        if seconds := rate_limits.background_delay():
            clock.goes_on(seconds)
        rate_limits.made(EDIT)
        made += 1

    assert made / 10 == pytest.approx(BACKGROUND_PER_MINUTE[EDIT], rel=0.02)


def test_a_call_or_two_need_not_be_spread(rate_limits: RateLimits) -> None:
    rate_limits.made(POST)
    rate_limits.made(POST)
    assert rate_limits.background_delay() == 0

    rate_limits.made(EDIT)
    rate_limits.made(EDIT)

    assert rate_limits.background_delay() > 0


def test_people_in_haste_cost_what_nobody_waits_for_a_minute_at_most(
    rate_limits: RateLimits,
) -> None:
    for _ in range(1000):
        rate_limits.made(EDIT)

    assert 0 < rate_limits.background_delay() <= 60


def test_after_a_limit_what_nobody_waits_for_lies_low_for_a_while(rate_limits: RateLimits) -> None:
    rate_limits.refused(EDIT, "", 5)

    assert rate_limits.background_delay() > 5


def test_one_full_channel_does_not_hold_up_what_was_left_behind(rate_limits: RateLimits) -> None:
    rate_limits.refused(POST, HERE, 5)

    assert rate_limits.background_delay() == 0


def test_a_limit_is_kept_once_a_call_was_refused_for_it(
    rate_limits: RateLimits, clock: Clock
) -> None:
    for _ in range(60):
        rate_limits.made(EDIT)
    assert rate_limits.wait(EDIT, "") == 0  # a stand-in for Slack may have none

    rate_limits.refused(EDIT, "", 60)
    clock.goes_on(60)
    made = 0
    while not rate_limits.wait(EDIT, ""):
        rate_limits.made(EDIT)
        made += 1

    assert PER_MINUTE[EDIT] - 3 < made < PER_MINUTE[EDIT]
    assert rate_limits.wait(EDIT, "") == pytest.approx(60)


def test_what_nobody_waits_for_leaves_room_for_the_rest(clock: Clock) -> None:
    rate_limits = RateLimits(clock, known=True)
    for _ in range(int(PER_MINUTE[EDIT] * LEISURELY)):
        assert rate_limits.wait(EDIT, "", LEISURELY) == 0
        rate_limits.made(EDIT)

    assert rate_limits.wait(EDIT, "", LEISURELY) > 0
    assert rate_limits.wait(EDIT, "", HARMLESS) == 0


def test_what_nobody_waits_for_has_nearly_all_while_nobody_is_at_work(clock: Clock) -> None:
    rate_limits = RateLimits(clock, known=True)
    made = 0
    while not rate_limits.wait(EDIT, "", LEISURELY):
        rate_limits.made(EDIT, "", LEISURELY)
        made += 1

    assert made == int(PER_MINUTE[EDIT] * HARMLESS)
    assert rate_limits.wait(EDIT, "") == 0


@pytest.mark.parametrize("known", [True, False])
def test_lookups_that_can_wait_leave_half_of_the_limit_to_people(clock: Clock, known: bool) -> None:
    rate_limits, made = RateLimits(clock, known=known), 0
    while not rate_limits.wait(LOOKUP, "", UNHURRIED):
        rate_limits.made(LOOKUP, "", UNHURRIED)
        made += 1

    assert made == PER_MINUTE[LOOKUP] / 2
    assert rate_limits.wait(LOOKUP, "", UNHURRIED) == pytest.approx(60)
    for _ in range(PER_MINUTE[LOOKUP]):  # Slack may allow more than it promises
        assert rate_limits.wait(LOOKUP, "") == 0
        rate_limits.made(LOOKUP)
    clock.goes_on(60)
    assert rate_limits.wait(LOOKUP, "", UNHURRIED) == 0
    assert rate_limits.background_delay() == 0


def test_a_channel_gets_a_short_burst_and_then_a_message_a_second(clock: Clock) -> None:
    rate_limits = RateLimits(clock, known=True)
    posted = list[float]()
    while len(posted) < 12:
        if seconds := rate_limits.wait(POST, HERE):
            clock.goes_on(seconds)
        rate_limits.made(POST, HERE)
        posted.append(clock.now)

    assert posted[:2] == [0, 0]
    for first, fourth in zip(posted, posted[3:], strict=False):
        assert fourth - first > 3
    assert posted[-1] < 12
    assert rate_limits.wait(POST, ELSEWHERE) == 0
