"""Monitoring: the dead man's switch, the announcement after an outage, and the gauges."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
from pydantic import SecretStr

from sandbox.bot_process import free_port
from tests.background import wait_for_tasks
from tests.databases import ON_SQLITE, AnyDatabase
from tests.integration.world import World, running_world

pytestmark = ON_SQLITE

DEPLOY = Path(__file__).parents[2] / "deploy"


@dataclass
class Monitor:
    """A monitoring service that expects regular pings."""

    url: str
    calls: list[str] = field(default_factory=list)


@asynccontextmanager
async def monitor(status: int = 200) -> AsyncIterator[Monitor]:
    port = free_port()
    pinged = Monitor(f"http://127.0.0.1:{port}/ping/secret-id")

    async def record_ping(request: web.Request) -> web.Response:
        pinged.calls.append(request.path)
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/ping/{id}", record_ping)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield pinged
    finally:
        await runner.cleanup()


@pytest.fixture
def time() -> Iterator[FrozenDateTimeFactory]:
    with freeze_time("2026-03-02 15:00", real_asyncio=True) as clock:
        assert isinstance(clock, FrozenDateTimeFactory)
        yield clock


async def sweep(world: World) -> None:
    await world.bot.sweep()
    await world.idle()


async def test_the_monitor_is_pinged_every_minute_while_the_bot_is_healthy(
    database: AnyDatabase, time: FrozenDateTimeFactory, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        monitor() as monitored,
        running_world(database, heartbeat_url=SecretStr(monitored.url)) as world,
    ):
        await world.idle()
        await sweep(world)
        first = len(monitored.calls)
        time.tick(timedelta(seconds=61))
        world.slack.fail_next("auth.test", error="token_revoked")
        await sweep(world)
        while_unhealthy = len(monitored.calls)
        time.tick(timedelta(seconds=61))
        await sweep(world)

    assert (first, while_unhealthy, len(monitored.calls)) == (1, 1, 2)
    assert "secret-id" not in caplog.text


async def test_a_failed_heartbeat_is_logged_without_its_url(
    database: AnyDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        monitor(404) as monitored,
        running_world(database, heartbeat_url=SecretStr(monitored.url)) as world,
    ):
        await sweep(world)

    assert "HEARTBEAT_URL refused" in caplog.text
    assert "secret-id" not in caplog.text


@pytest.mark.parametrize(("minutes", "announcements"), [(4, 0), (134, 1)])
async def test_a_long_outage_is_announced_once_with_its_duration(
    database: AnyDatabase, time: FrozenDateTimeFactory, minutes: int, announcements: int
) -> None:
    async with running_world(database) as world:
        await sweep(world)
        time.tick(timedelta(minutes=minutes))
        async with world.second_bot() as second, world.second_bot() as third:
            for bot in (second, third):
                await wait_for_tasks(bot.tasks)

    lines = [text for text in world.announced if "I'm back" in text]
    assert len(lines) == announcements
    assert all("I was away for 2 h 14 min" in line for line in lines)


async def test_gauges_count_onboardings_by_phase_and_status(
    time: FrozenDateTimeFactory, world: World
) -> None:
    await world.begin()
    await world.walk_to(12)
    time.tick(timedelta(days=10))
    await sweep(world)

    _, text = await world.get("/metrics")

    assert 'onboarding_onboardings{phase="4",status="active"} 1.0' in text
    assert 'onboarding_onboardings{phase="",status="completed"} 0.0' in text
    assert "onboarding_stalled 1.0" in text
    assert "onboarding_open_questions 0.0" in text
    assert "onboarding_publish_lag_seconds 0.0" in text
    assert re.search(r'onboarding_last_request_age_seconds\{kind="request"\} \d', text)


async def test_credentials_are_counted_by_key(time: FrozenDateTimeFactory, begun: World) -> None:
    await begun.walk_to(23)
    time.tick(timedelta(minutes=2))
    await sweep(begun)

    _, text = await begun.get("/metrics")

    assert re.search(r'onboarding_credentials\{key="\w+"\} 5\.0', text)


async def test_the_dashboard_and_alerts_use_only_existing_metrics(world: World) -> None:
    _, text = await world.get("/metrics")
    existing = set(re.findall(r"^(?:# TYPE )?(onboarding_\w+)", text, re.MULTILINE))
    existing |= {f"{name}{suffix}" for name in existing for suffix in ("_bucket", "_count", "_sum")}
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
    alerts = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]

    used = {
        name for expression in expressions for name in re.findall(r"onboarding_\w+", expression)
    }

    assert len(used) > 10
    assert used - existing == set()
