"""Whole onboardings while Slack fails at random: caught up in the end, and nothing posted twice."""

import pytest

from sandbox.slack import Outage, Trouble
from tests.crash.final_state import assert_onboarding_completed
from tests.databases import ON_SQLITE, AnyDatabase
from tests.outages.time_lapse import time_lapse

pytestmark = pytest.mark.virtual_time

RETRY_AFTER = 30
# Calls this close together were already in flight when the first one was refused, in seconds.
IN_FLIGHT_SECONDS = 0.5

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 13))]


@ON_SQLITE
@pytest.mark.parametrize("seed", SEEDS)
async def test_an_onboarding_survives_random_slack_failures(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    async with time_lapse(database, monkeypatch) as (people, _lapse):
        outage = people.slack.outage(
            seed=seed, probability=0.4, silence=1.0, retry_after=RETRY_AFTER
        )
        await people.onboard()
        await people.wait_until_caught_up()

        await assert_onboarding_completed(people)
        assert len(outage.hits) > 50
        assert premature_calls(outage) == []


def premature_calls(outage: Outage) -> list[str]:
    """The methods that were called again before their rate limit was over."""
    found, limited_at = [], dict[str, float]()
    for hit in outage.hits:
        if hit.trouble is not Trouble.RATE_LIMITED:
            continue
        since = hit.at - limited_at.get(hit.method, -RETRY_AFTER)
        if IN_FLIGHT_SECONDS < since < RETRY_AFTER:
            found.append(hit.method)
        elif since >= RETRY_AFTER:
            limited_at[hit.method] = hit.at
    return found
