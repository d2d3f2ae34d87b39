"""How long a failed publishing waits for its next attempt."""

import asyncio

import pytest

from bot.publishing.retries import Retries
from bot.slack import RateLimited
from bot.slack.rate_limits import RateLimits


@pytest.mark.parametrize(("asked", "at_most"), [(1.0, 1.02), (30.0, 30.6), (3600.0, 3601.0)])
async def test_a_limit_is_waited_for_and_hardly_longer(asked: float, at_most: float) -> None:
    retries = Retries(RateLimits(asyncio.get_running_loop().time))

    pauses = [retries.add("a", RateLimited(asked), lambda _: None) for _ in range(200)]

    assert asked <= min(pauses) < max(pauses) <= at_most
    assert max(pauses) > asked + 0.8 * (at_most - asked)  # so that not all come at once
    retries.reset("a")
