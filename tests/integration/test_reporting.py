"""`/servicetitan report` and `onboarding report`: the same numbers, from the same histories."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from datetime import timedelta

from freezegun import freeze_time
from sqlalchemy import make_url

from sandbox.slack import View
from tests.commands import CommandResult, onboarding
from tests.databases import ON_BOTH, ON_SQLITE, AnyDatabase
from tests.integration.test_cli import VALID_SETTINGS
from tests.integration.world import World, running_world


def view_text(view: View) -> str:
    return json.dumps(view.content["blocks"], ensure_ascii=False)


async def turn_to(world: World, page: str) -> str:
    """Turn to a page of the report, and return its text."""
    await world.erin.press(world.view_of(world.erin), f"report_page:{page}")
    await world.idle()
    return view_text(world.view_of(world.erin))


async def report(world: World, *arguments: str) -> CommandResult:
    settings = {
        **VALID_SETTINGS,
        "DATABASE_URL": world.settings.database_url,
        "CREDENTIAL_KEYS": world.settings.credential_keys[0].get_secret_value(),
    }
    return await onboarding(world.database.directory, "report", *arguments, **settings)


@ON_BOTH
async def test_the_report_window_and_csv_summarize_the_histories(begun: World) -> None:
    await begun.walk_to(3)
    await begun.press(begun.ann, "step:3", "step_done")
    await begun.press(begun.ann, "step:3", "step_undo")

    await begun.type("report")

    assert begun.view_of(begun.erin).title == "Report"
    overview = view_text(begun.view_of(begun.erin))
    assert "Last 30 days" in overview
    assert "1 started · 0 went live" in overview
    steps = await turn_to(begun, "steps")
    assert "3. Access the ServiceTitan Developer Portal" in steps
    assert "100% undone" in steps
    assert f"<@{begun.erin.id}>: 1 open" in await turn_to(begun, "engineers")
    ended = await report(begun, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert ended.status == 0
    assert [(row["client"], row["status"], row["current_step"]) for row in rows] == [
        ("Acme Plumbing", "active", "3")
    ]


@ON_SQLITE
async def test_a_report_leaves_out_onboardings_started_before_its_period(
    database: AnyDatabase,
) -> None:
    with freeze_time("2026-10-12 14:00", real_asyncio=True) as clock:
        async with running_world(database) as world:
            await world.begin()
            clock.tick(timedelta(days=31))

            await world.type("report")
            assert "0 started" in view_text(world.view_of(world.erin))
            await world.type("report 90d")
            assert "1 started" in view_text(world.view_of(world.erin))


@ON_SQLITE
async def test_an_invalid_period_is_answered_with_an_example(begun: World) -> None:
    reply = await begun.type("report fortnight")

    assert "report 90d" in reply.text


@ON_SQLITE
async def test_only_engineers_get_a_report(database: AnyDatabase) -> None:
    async with running_world(database, named_engineers=True) as world:
        await world.begin()
        sam = world.slack.add_person("Sam Sales")
        sales = world.slack.add_channel("sales", sam)

        reply = await world.type("report", sam, sales)

        assert sam.view is None
        assert "engineer" in reply.text


@ON_SQLITE
async def test_an_invalid_period_on_the_command_line_names_the_flag(begun: World) -> None:
    ended = await report(begun, "--since", "fortnight")

    assert ended.status == 2
    assert "--since: write 90d" in ended.err


@ON_SQLITE
async def test_an_unreadable_onboarding_is_left_out_of_the_report(begun: World) -> None:
    await begun.begin("Beta Heating")
    begun.write("UPDATE onboarding SET status = 'odd' WHERE client_name = 'Beta Heating'")

    ended = await report(begun, "--format", "csv")

    assert [row["client"] for row in csv.DictReader(io.StringIO(ended.out))] == ["Acme Plumbing"]


@ON_SQLITE
async def test_a_report_works_while_the_database_is_locked_for_writing(begun: World) -> None:
    file = make_url(begun.settings.database_url).database
    assert file
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = await report(begun, "--format", "csv")

    assert ended.status == 0, ended.err
    assert "Acme Plumbing" in ended.out
    assert begun.rows("SELECT * FROM summary") == []
