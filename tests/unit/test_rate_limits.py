"""How fast Slack may be called, and which calls wait when it asks the bot to slow down."""

import pytest

from bot.slack.rate_limits import (
    BACKGROUND_PER_MINUTE,
    HARMLESS,
    LEISURELY,
    PER_MINUTE,
    UNHURRIED,
    RateLimits,
)

CHANNEL, OTHER_CHANNEL, THIRD_CHANNEL = "C0FIRST", "C0OTHER", "C0THIRD"
POST, EDIT, LOOKUP = "chat.postMessage", "chat.update", "users.info"


class Clock:
    """A clock that the tests advance by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rate_limits(clock: Clock) -> RateLimits:
    return RateLimits(clock)


def test_a_full_channel_does_not_block_other_channels(rate_limits: RateLimits) -> None:
    rate_limits.refused(POST, CHANNEL, 3)

    assert rate_limits.wait(POST, CHANNEL) == 3
    assert rate_limits.wait(POST, OTHER_CHANNEL) == 0
    assert rate_limits.wait(EDIT, "") == 0


def test_two_full_channels_delay_background_calls_but_not_a_third_channel(
    rate_limits: RateLimits,
) -> None:
    rate_limits.refused(POST, CHANNEL, 3)
    rate_limits.refused(POST, OTHER_CHANNEL, 30)

    assert rate_limits.wait(POST, THIRD_CHANNEL) == 0
    assert rate_limits.background_delay() > 30


def test_recovery_from_an_outage_is_reported_once_with_its_start(
    rate_limits: RateLimits, clock: Clock
) -> None:
    outage_starts = list[float]()
    rate_limits.on_return = outage_starts.append
    rate_limits.answered()
    clock.advance(7)
    for _ in range(3):
        rate_limits.failed()
        clock.advance(1)
    rate_limits.answered()
    rate_limits.answered()

    assert outage_starts == [7]


def test_a_limit_on_edits_applies_to_all_channels(rate_limits: RateLimits, clock: Clock) -> None:
    rate_limits.refused(EDIT, CHANNEL, 10)
    assert rate_limits.wait(EDIT, OTHER_CHANNEL) == 10

    clock.advance(10)

    assert rate_limits.wait(EDIT, OTHER_CHANNEL) == 0


def test_a_shorter_wait_does_not_override_a_longer_one(rate_limits: RateLimits) -> None:
    rate_limits.refused(EDIT, "", 60)
    rate_limits.refused(EDIT, "", 1)

    assert rate_limits.wait(EDIT, "") == 60


def test_background_calls_are_spread_out_below_slacks_limit(
    rate_limits: RateLimits, clock: Clock
) -> None:
    made = 0
    began = clock.now
    while clock.now - began < 600:
        if seconds := rate_limits.background_delay():
            clock.advance(seconds)
        rate_limits.made(EDIT)
        made += 1

    assert made / 10 == pytest.approx(BACKGROUND_PER_MINUTE[EDIT], rel=0.02)


def test_a_couple_of_calls_are_not_spread_out(rate_limits: RateLimits) -> None:
    rate_limits.made(POST)
    rate_limits.made(POST)
    assert rate_limits.background_delay() == 0

    rate_limits.made(EDIT)
    rate_limits.made(EDIT)

    assert rate_limits.background_delay() > 0


def test_a_burst_of_calls_delays_background_calls_by_a_minute_at_most(
    rate_limits: RateLimits,
) -> None:
    for _ in range(1000):
        rate_limits.made(EDIT)

    assert 0 < rate_limits.background_delay() <= 60


def test_background_calls_pause_longer_than_a_rate_limit_asks_for(rate_limits: RateLimits) -> None:
    rate_limits.refused(EDIT, "", 5)

    assert rate_limits.background_delay() > 5


def test_one_full_channel_does_not_delay_background_calls(rate_limits: RateLimits) -> None:
    rate_limits.refused(POST, CHANNEL, 5)

    assert rate_limits.background_delay() == 0


def test_a_limit_is_enforced_once_slack_has_rejected_a_call(
    rate_limits: RateLimits, clock: Clock
) -> None:
    for _ in range(60):
        rate_limits.made(EDIT)
    assert rate_limits.wait(EDIT, "") == 0  # a fake Slack may have no limits

    rate_limits.refused(EDIT, "", 60)
    clock.advance(60)
    made = 0
    while not rate_limits.wait(EDIT, ""):
        rate_limits.made(EDIT)
        made += 1

    assert PER_MINUTE[EDIT] - 3 < made < PER_MINUTE[EDIT]
    assert rate_limits.wait(EDIT, "") == pytest.approx(60)


def test_low_priority_calls_leave_room_for_other_calls(clock: Clock) -> None:
    rate_limits = RateLimits(clock, known=True)
    for _ in range(int(PER_MINUTE[EDIT] * LEISURELY)):
        assert rate_limits.wait(EDIT, "", LEISURELY) == 0
        rate_limits.made(EDIT)

    assert rate_limits.wait(EDIT, "", LEISURELY) > 0
    assert rate_limits.wait(EDIT, "", HARMLESS) == 0


def test_low_priority_calls_can_use_most_of_an_otherwise_idle_limit(clock: Clock) -> None:
    rate_limits = RateLimits(clock, known=True)
    made = 0
    while not rate_limits.wait(EDIT, "", LEISURELY):
        rate_limits.made(EDIT, "", LEISURELY)
        made += 1

    assert made == int(PER_MINUTE[EDIT] * HARMLESS)
    assert rate_limits.wait(EDIT, "") == 0


@pytest.mark.parametrize("known", [True, False])
def test_deferrable_lookups_leave_half_of_the_limit_for_people(clock: Clock, known: bool) -> None:
    rate_limits, made = RateLimits(clock, known=known), 0
    while not rate_limits.wait(LOOKUP, "", UNHURRIED):
        rate_limits.made(LOOKUP, "", UNHURRIED)
        made += 1

    assert made == PER_MINUTE[LOOKUP] / 2
    assert rate_limits.wait(LOOKUP, "", UNHURRIED) == pytest.approx(60)
    for _ in range(PER_MINUTE[LOOKUP]):  # Slack may allow more than it promises
        assert rate_limits.wait(LOOKUP, "") == 0
        rate_limits.made(LOOKUP)
    clock.advance(60)
    assert rate_limits.wait(LOOKUP, "", UNHURRIED) == 0
    assert rate_limits.background_delay() == 0


def test_a_channel_gets_a_short_burst_and_then_one_message_per_second(clock: Clock) -> None:
    rate_limits = RateLimits(clock, known=True)
    posted = list[float]()
    while len(posted) < 12:
        if seconds := rate_limits.wait(POST, CHANNEL):
            clock.advance(seconds)
        rate_limits.made(POST, CHANNEL)
        posted.append(clock.now)

    assert posted[:2] == [0, 0]
    for first, fourth in zip(posted, posted[3:], strict=False):
        assert fourth - first > 3
    assert posted[-1] < 12
    assert rate_limits.wait(POST, OTHER_CHANNEL) == 0
