"""`GET /readyz`: whether this process can serve, why not, and what else needs attention."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.app.running import running
from sandbox.bot_process import free_port
from tests.background import wait_for_tasks
from tests.databases import ON_BOTH, ON_SQLITE, AnyDatabase
from tests.integration.world import OTHER_KEY, World, running_world


async def readyz(world: World) -> tuple[int, dict[str, Any]]:
    status, text = await world.get("/readyz")
    return status, json.loads(text)


@ON_BOTH
async def test_a_healthy_bot_is_ready_without_warnings(begun: World) -> None:
    assert await readyz(begun) == (200, {"status": "ready", "warnings": []})


async def test_a_revoked_token_is_a_warning_but_the_worker_stays_ready(
    database: AnyDatabase,
) -> None:
    elapsed = timedelta()
    async with running_world(database, clock=lambda: datetime.now(UTC) + elapsed) as world:
        await world.slack.admin.uninstall()
        assert await world.warnings() == []  # Slack is checked once a minute
        elapsed = timedelta(minutes=1)

        assert "Slack: auth.test: account_inactive" in await world.warnings()

        world.slack.admin.reinstall()
        elapsed = timedelta(minutes=2)
        assert not [line for line in await world.warnings() if line.startswith("Slack")]


async def test_slack_being_down_at_startup_is_a_warning(world: World) -> None:
    world.slack.fail_next("auth.test", status=503, times=9)

    async with running(world.settings.model_copy(update={"port": free_port()})) as bot:
        assert await bot.health.causes() == []
        assert bot.health.warnings == ["Slack: has not answered since the start"]


async def test_readiness_probes_make_no_slack_calls(begun: World) -> None:
    before = len(begun.slack.calls)

    await asyncio.gather(*(begun.get("/readyz") for _ in range(20)))

    assert len(begun.slack.calls) == before


async def test_an_archived_engineering_channel_is_a_warning(begun: World) -> None:
    await begun.slack.admin.archive(begun.engineering, begun.erin)
    form = await begun.open(begun.ann, "step:1", "step_help")
    await begun.submit(begun.ann, form, question="Which portal?")

    status, answer = await readyz(begun)

    assert status == 200
    assert answer["warnings"] == ["engineering channel: Slack refuses announcements (is_archived)"]
    _, figures = await begun.get("/metrics")
    assert 'onboarding_warning{check="engineering channel"} 1.0' in figures
    assert 'onboarding_warning{check="stored values"} 0.0' in figures


@ON_BOTH
async def test_stored_values_are_checked_a_few_at_a_time(
    begun: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.app.health_checks.VALUES_PER_LOOK", 2)
    await begun.walk_to(23)
    begun.write("UPDATE credential SET ciphertext = ? WHERE field = 'tenant_id'", bytes(64))

    warnings = [await begun.warnings() for _ in range(3)]

    # Of the five values, the unreadable one comes last.
    assert [len(lines) for lines in warnings] == [0, 0, 1]
    assert "tenant_id" in warnings[-1][0]
    assert len(await begun.warnings()) == 1  # it's kept while the next round runs


async def test_reentering_an_unreadable_value_clears_its_warning(begun: World) -> None:
    await begun.walk_to(23)
    begun.write("UPDATE credential SET ciphertext = ? WHERE field = 'tenant_id'", bytes(64))
    assert len(await begun.warnings()) == 1

    await begun.enter(begun.ann, 18, tenant_id=begun.servicetitan.credentials["tenant_id"])

    assert await begun.warnings() == []


async def test_a_missing_key_is_a_warning(begun: World) -> None:
    await begun.walk_to(23)
    changed = {**begun.settings.model_dump(), "credential_keys": [OTHER_KEY]}
    keys = begun.settings.model_validate(changed).credential_keys

    async with begun.second_bot(credential_keys=keys) as bot:
        await wait_for_tasks(bot.tasks)
        [line] = bot.health.warnings

        assert "is not among CREDENTIAL_KEYS: 5 stored values" in line
        assert await bot.health.causes() == []


@ON_SQLITE
async def test_missing_tables_make_the_bot_unready(world: World) -> None:
    world.write("DROP TABLE guide")
    await asyncio.sleep(1)  # results are cached for a second

    status, answer = await readyz(world)

    assert status == 503
    assert answer["causes"] == [
        "database: the database isn't responding: its tables are missing or old; "
        "run “onboarding db upgrade”"
    ]


async def test_a_disconnected_socket_makes_the_bot_unready(database: AnyDatabase) -> None:
    async with running_world(database, socket_mode=True) as world:
        assert (await readyz(world))[0] == 200
        await world.slack.go_down()
        await world.slack.until(lambda: not world.slack.connections or None)

        status, answer = await readyz(world)

    assert (status, answer["causes"]) == (503, ["Slack: Socket Mode is not connected"])


async def test_a_bot_that_is_shutting_down_is_unready(begun: World) -> None:
    begun.bot.in_flight.stopping = True

    status, answer = await readyz(begun)

    assert (status, answer["causes"]) == (503, ["stopping: send no more requests"])
    begun.bot.in_flight.stopping = False


async def test_a_crashing_health_check_does_not_fail_the_probe(
    begun: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(begun.bot.health, "_warnings", {"broken": lambda: str(1 // 0)})

    status, answer = await readyz(begun)

    assert (status, answer["warnings"]) == (200, ["broken: cannot be checked (ZeroDivisionError)"])
