"""How long to wait before a failed publish is retried."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bot.core.errors import Unavailable
from bot.publishing.retries import LEAST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Retries
from bot.slack import RateLimited
from bot.slack.rate_limits import RateLimits

FAILURE = Unavailable("away")


@dataclass
class Failing:
    """Onboardings that fail at times set by the test."""

    now: float = 0.0
    pushed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rate_limits = RateLimits(lambda: self.now)
        self.retries = Retries(self.rate_limits)

    def fail(self, error: Exception = FAILURE, onboarding: str = "a") -> float:
        return self.retries.add(onboarding, error, self.pushed.append)


@pytest.fixture
async def failing() -> AsyncIterator[Failing]:
    failing = Failing()
    yield failing
    for onboarding in "abc":
        failing.retries.reset(onboarding)


@pytest.mark.parametrize(("asked", "at_most"), [(1.0, 1.02), (30.0, 30.6), (3600.0, 3601.0)])
async def test_a_rate_limit_is_waited_out_with_only_a_little_jitter(
    failing: Failing, asked: float, at_most: float
) -> None:
    pauses = [failing.fail(RateLimited(asked)) for _ in range(200)]

    assert asked <= min(pauses) < max(pauses) <= at_most
    assert max(pauses) > asked + 0.8 * (at_most - asked)  # jitter spreads the retries out


async def test_repeated_failures_are_retried_less_often_until_a_reset(failing: Failing) -> None:
    assert LEAST_PAUSE_SECONDS / 2 <= failing.fail() <= LEAST_PAUSE_SECONDS
    failing.now = 100.0
    assert 25 <= failing.fail() <= 50
    failing.now = 10_000.0
    assert LONGEST_PAUSE_SECONDS / 2 <= failing.fail() <= LONGEST_PAUSE_SECONDS

    failing.retries.reset("a")

    assert failing.fail() <= LEAST_PAUSE_SECONDS


async def test_a_rate_limit_does_not_count_as_a_failure(failing: Failing) -> None:
    failing.fail(RateLimited(3600.0))
    failing.now = 3601.0

    assert failing.fail() <= LEAST_PAUSE_SECONDS


async def test_only_failures_from_an_outage_are_retried_when_it_ends(failing: Failing) -> None:
    failing.fail(onboarding="a")  # for an unrelated reason
    failing.now = 60.0
    failing.rate_limits.failed()
    failing.now = 61.0
    failing.fail(onboarding="b")
    failing.fail(RateLimited(100.0), onboarding="c")

    failing.rate_limits.answered()
    await asyncio.sleep(0)

    assert failing.pushed == ["b"]
