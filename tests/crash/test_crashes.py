"""The bot is killed at every point of a whole onboarding; all anyone notices is a delay."""

import zlib
from collections.abc import Callable

import pytest

from sandbox.run import MANIFEST
from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Manifest, SlackSandbox
from tests.crash.crashing_bot import CrashPoints, running_crashing_bot
from tests.crash.final_state import assert_onboarding_completed, assert_pinned
from tests.crash.people import People
from tests.databases import ON_POSTGRESQL, ON_SQLITE, AnyDatabase
from tests.integration.world import KEY

# Kinds of crash points that every run must pass, or it no longer covers them.
MOMENTS = (
    *("before commit of update onboarding", "after commit of update onboarding"),
    *("before acknowledging press", "before chat.postMessage", "after chat.postMessage"),
)
# How many onboardings the crash points are split across, to keep the crashes far apart.
SHARES = 10


async def onboard(
    database: AnyDatabase,
    should_crash: Callable[[str], bool],
    *,
    impatient: bool = False,
    pinned: bool = True,
) -> CrashPoints:
    """Run a whole onboarding with a crashing bot, and check that it catches up.

    Without `pinned`: it dies right after every publish, which is when a thread gets pinned.
    """
    points = CrashPoints(should_crash)
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
        async with running_crashing_bot(slack, environment, database, points) as bot:
            people = People(
                slack,
                servicetitan,
                bot,
                points,
                erin,
                ann,
                channel,
                engineering,
                impatient=impatient,
            )
            await people.onboard()
            await people.wait_until_caught_up()
            await assert_onboarding_completed(people)
            if pinned:
                assert_pinned(people)
    return points


def one_in(count: int, remainder: int) -> Callable[[str], bool]:
    """Pick points by name, so that all remainders together cover each point exactly once."""
    return lambda name: zlib.crc32(name.encode()) % count == remainder


@ON_SQLITE
async def test_an_onboarding_survives_occasional_crashes(database: AnyDatabase) -> None:
    points = await onboard(database, one_in(80, 0))

    assert len(points.crashed_at) > 8
    for moment in MOMENTS:
        assert any(f": {moment}" in name for name in points.passed), moment


@pytest.mark.long
@ON_SQLITE
@pytest.mark.parametrize("share", range(SHARES))
async def test_an_onboarding_survives_widely_spaced_crashes_at_each_point(
    database: AnyDatabase, share: int, tell: Callable[[str], None]
) -> None:
    points = await onboard(database, one_in(SHARES, share), impatient=share % 2 == 1)

    tell(f"share {share + 1} of {SHARES}: {points}")


@pytest.mark.long
@ON_POSTGRESQL
@pytest.mark.parametrize("share", range(2))
async def test_an_onboarding_survives_crashes_on_postgresql(
    database: AnyDatabase, share: int, tell: Callable[[str], None]
) -> None:
    points = await onboard(database, one_in(SHARES, share), impatient=share % 2 == 1)

    tell(f"PostgreSQL, share {share + 1} of {SHARES}: {points}")


@pytest.mark.long
@ON_SQLITE
async def test_an_onboarding_survives_a_crash_at_every_single_point(
    database: AnyDatabase, tell: Callable[[str], None]
) -> None:
    points = await onboard(database, lambda _name: True, pinned=False)

    tell(f"all: {points}")
    assert points.crashed_at.keys() == points.passed.keys()
