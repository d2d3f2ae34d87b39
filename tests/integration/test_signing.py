"""The log, /readyz, and /metrics show a wrong signing secret, a wrong clock, and a silent Slack."""

import logging
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World, running_world

BODY = b"command=%2Fservicetitan&text=s3cr3t"
FORM = "application/x-www-form-urlencoded"


async def send(world: World, *, secret: str | None = None, timestamp: str | None = None) -> None:
    ack = await world.slack.post_signed(BODY, FORM, secret=secret, timestamp=timestamp)
    assert ack.status == 401


async def test_a_wrong_signing_secret_is_logged_once_a_minute_with_a_count(
    database: AnyDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    elapsed = timedelta()
    async with running_world(database, clock=lambda: datetime.now(UTC) + elapsed) as world:
        now = str(int(time.time()))
        for _ in range(3):
            await send(world, secret="another", timestamp=now)
        elapsed = timedelta(minutes=1)
        await world.bot.sweep()
        await world.idle()

    lines = [record.getMessage() for record in caplog.records if "signature" in record.getMessage()]
    assert [line.partition(";")[0] for line in lines] == [
        "requests with a wrong signature: 1",
        "requests with a wrong signature: 2",
    ]
    assert "SLACK_SIGNING_SECRET" in lines[0]
    assert "s3cr3t" not in caplog.text
    assert "v0=" not in caplog.text


async def test_a_wrong_signing_secret_raises_a_warning_and_is_counted(world: World) -> None:
    await send(world, secret="another")

    [warning] = await world.warnings()
    _, figures = await world.get("/metrics")

    assert warning.startswith("requests: requests with a wrong signature arrived")
    assert "SLACK_SIGNING_SECRET" in warning
    assert "last request from Slack: never, last event: never" in warning
    assert 'onboarding_turned_away_total{reason="wrong_signature"} 1.0' in figures


async def test_a_valid_request_clears_the_warning(world: World) -> None:
    await send(world, secret="another")
    await world.erin.command(world.channel, "/servicetitan", "help")

    assert await world.warnings() == []


async def test_a_wrong_clock_is_distinguished_from_a_wrong_secret(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await send(world, timestamp=str(int(time.time()) - 301))

    [warning] = await world.warnings()

    assert "set this machine's clock (NTP)" in warning
    assert "SLACK_SIGNING_SECRET" not in warning
    assert caplog.records[-1].levelno == logging.WARNING
    assert "clock" in caplog.records[-1].getMessage()


async def test_an_unsigned_request_is_counted_without_a_warning(world: World) -> None:
    await world.slack.post_signed(BODY, FORM, headers={"X-Slack-Request-Timestamp": "now"})

    assert await world.warnings() == []
    _, figures = await world.get("/metrics")
    assert 'onboarding_turned_away_total{reason="unsigned"} 1.0' in figures


async def test_commands_without_any_event_point_to_the_request_url(world: World) -> None:
    world.slack.deliver_to(f"{world.base_url}/slack/events", events_verified=False)
    for _ in range(3):
        await world.erin.command(world.channel, "/servicetitan", "help")

    [warning] = await world.warnings()

    assert "last event: never" in warning
    assert "verify the Request URL" in warning


@ON_SQLITE
async def test_a_process_that_gets_no_requests_warns_after_ten_minutes(
    database: AnyDatabase,
) -> None:
    elapsed = timedelta()
    async with running_world(database, clock=lambda: datetime.now(UTC) + elapsed) as world:
        assert await world.warnings() == []
        elapsed = timedelta(minutes=10)

        [warning] = await world.warnings()

    assert "last request from Slack: never" in warning
    assert "/servicetitan help" in warning


async def test_last_arrival_times_are_saved_at_most_once_a_minute(database: AnyDatabase) -> None:
    elapsed = timedelta()
    async with running_world(database, clock=lambda: datetime.now(UTC) + elapsed) as world:
        await world.begin()
        await world.ann.say(world.channel, "Hello!")
        await world.slack.delivered()
        elapsed = timedelta(minutes=2)
        await world.warnings()
        saved = world.rows("SELECT kind, at FROM arrival WHERE kind <> 'well' ORDER BY kind")

        await world.erin.command(world.channel, "/servicetitan", "help")
        await world.warnings()

        assert [kind for kind, _ in saved] == ["event", "request"]
        assert (
            world.rows("SELECT kind, at FROM arrival WHERE kind <> 'well' ORDER BY kind") == saved
        )
