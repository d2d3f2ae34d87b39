"""Whole onboardings while Slack fails at random: caught up in the end, and nothing posted twice."""

import pytest

from sandbox.slack import Outage, Trouble
from tests.crash.final_state import assert_onboarding_completed
from tests.databases import ON_SQLITE, AnyDatabase
from tests.outages.time_lapse import lapsing

pytestmark = pytest.mark.virtual_time

RETRY_AFTER = 30
# Calls this close together were already in flight when the first one was refused, in seconds.
TOGETHER = 0.5

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 13))]


@ON_SQLITE
@pytest.mark.parametrize("seed", SEEDS)
async def test_an_onboarding_survives_random_slack_failures(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    async with lapsing(database, monkeypatch) as (people, _lapse):
        weather = people.slack.outage(
            seed=seed, probability=0.4, silence=1.0, retry_after=RETRY_AFTER
        )
        await people.onboard()
        await people.level()

        await assert_onboarding_completed(people)
        assert len(weather.hits) > 50
        assert hasty(weather) == []


def hasty(weather: Outage) -> list[str]:
    """The methods that were called again before their rate limit was over."""
    found, limited_at = [], dict[str, float]()
    for hit in weather.hits:
        if hit.trouble is not Trouble.RATE_LIMITED:
            continue
        since = hit.at - limited_at.get(hit.method, -RETRY_AFTER)
        if TOGETHER < since < RETRY_AFTER:
            found.append(hit.method)
        elif since >= RETRY_AFTER:
            limited_at[hit.method] = hit.at
    return found
