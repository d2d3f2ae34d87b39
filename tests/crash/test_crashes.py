"""The bot is killed at every point of a whole onboarding, and nobody notices but by a delay."""

import zlib
from collections.abc import Callable

import pytest

from sandbox.run import MANIFEST
from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Manifest, SlackSandbox
from tests.crash.level import must_be_level, the_thread_is_pinned
from tests.crash.mortal import Points, mortal
from tests.crash.people import People
from tests.databases import ON_POSTGRESQL, ON_SQLITE, AnyDatabase
from tests.integration.world import KEY

# Kinds of points: a run that passes none of one kind has stopped looking there.
MOMENTS = (
    *("before commit of update onboarding", "after commit of update onboarding"),
    *("before acknowledging press", "before chat.postMessage", "after chat.postMessage"),
)
# Into so many onboardings the points are shared out, for crashes that are far from each other.
SHARES = 10


async def onboard(
    database: AnyDatabase,
    deadly: Callable[[str], bool],
    *,
    hasty: bool = False,
    pinned: bool = True,
) -> Points:
    """Go through a whole onboarding with a bot that dies at `deadly` points; then all is level.

    Not `pinned`: it dies each time that it has published, which is when a thread is pinned.
    """
    points = Points(deadly)
    async with (
        SlackSandbox(
            Manifest.read(MANIFEST),
            event_retries=(0.3, 0.6, 1.2),
            declined_scopes=["files:write"],  # every call is a point to die at
        ) as slack,
        ServiceTitanSandbox(seed=5) as servicetitan,
    ):
        erin = slack.add_person("Erin Engineer")
        ann = slack.add_person("Ann Admin", slack.add_team("Acme Plumbing"))
        channel = slack.add_channel("acme-heavyset", erin, ann)
        engineering = slack.add_channel("engineering", erin, private=True)
        environment = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
            "ENGINEERING_CHANNEL": engineering.id,
            "ENGINEERS": "everyone",
            "CREDENTIAL_KEYS": KEY,
            "SERVICETITAN_AUTH_URL": servicetitan.auth_url,
            "SERVICETITAN_API_URL": servicetitan.api_url,
            "SWEEP_INTERVAL": "1",
        }
        async with mortal(slack, environment, database, points) as bot:
            people = People(
                slack, servicetitan, bot, points, erin, ann, channel, engineering, hasty=hasty
            )
            await people.onboard()
            await people.level()
            await must_be_level(people)
            if pinned:
                the_thread_is_pinned(people)
    return points


def one_in(count: int, remainder: int) -> Callable[[str], bool]:
    """Choose points by their names, so that all remainders together choose each point once."""
    return lambda name: zlib.crc32(name.encode()) % count == remainder


@ON_SQLITE
async def test_an_onboarding_survives_a_crash_now_and_then(database: AnyDatabase) -> None:
    points = await onboard(database, one_in(80, 0))

    assert len(points.died_at) > 8
    for moment in MOMENTS:
        assert any(f": {moment}" in name for name in points.passed), moment


@pytest.mark.long
@ON_SQLITE
@pytest.mark.parametrize("share", range(SHARES))
async def test_a_crash_at_each_point_far_from_others(
    database: AnyDatabase, share: int, tell: Callable[[str], None]
) -> None:
    points = await onboard(database, one_in(SHARES, share), hasty=share % 2 == 1)

    tell(f"share {share + 1} of {SHARES}: {points}")


@pytest.mark.long
@ON_POSTGRESQL
@pytest.mark.parametrize("share", range(2))
async def test_a_crash_at_some_points_with_postgresql(
    database: AnyDatabase, share: int, tell: Callable[[str], None]
) -> None:
    points = await onboard(database, one_in(SHARES, share), hasty=share % 2 == 1)

    tell(f"PostgreSQL, share {share + 1} of {SHARES}: {points}")


@pytest.mark.long
@ON_SQLITE
async def test_a_crash_at_every_point_one_after_the_other(
    database: AnyDatabase, tell: Callable[[str], None]
) -> None:
    points = await onboard(database, lambda _name: True, pinned=False)

    tell(f"all: {points}")
    assert points.died_at.keys() == points.passed.keys()
