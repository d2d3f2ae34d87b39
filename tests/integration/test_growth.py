"""What must not slow down, or grow without limit, as the number of onboardings grows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from freezegun import freeze_time

from bot.onboarding.events import NEVER_ANNOUNCED
from bot.onboarding.reporting import Report, report_on
from bot.views.digest import digest_slot
from storage.reporting import cases
from tests.databases import ON_BOTH, ON_SQLITE, AnyDatabase
from tests.executed_sql import observe_sql
from tests.integration.world import World, running_world

# Full scans of the tables that grow. Reading one page in key order uses an index instead.
WHOLE_TABLE = re.compile("SCAN (onboarding|step|message|event|credential|verification|delivery)")

OLD_KEYS = """
    INSERT INTO delivery (id, at)
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1200)
    SELECT 'old ' || n, '2020-01-01 00:00:00.000000' FROM numbers
"""


@contextmanager
def executed_statements() -> Iterator[dict[str, Any]]:
    """Yield the SQL statements executed inside the block, with their latest parameters."""
    seen: dict[str, Any] = {}

    with observe_sql(seen.__setitem__):
        yield seen


async def do_routine_work(world: World) -> None:
    """Do everything that happens routinely."""
    await world.begin()
    await world.walk_to(23)
    thread = world.message("root").ts
    await world.ann.say(world.channel, "Where is the portal?", thread_ts=thread)
    await world.erin.say(world.channel, "Here.", thread_ts=thread)
    for words in ("status", "status acme", "status all", "status stuck", "status mine", "report"):
        await world.type(words, channel=world.engineering)
    for filter_ in ("mine", "finished"):
        world.bot.homes.open(world.erin.id, filter_)
    await world.bot.sweep()
    await world.bot.sweep.seconds_until_next()
    await world.idle()


async def all_time_report(world: World) -> Report:
    """Return the all-time report, up to a fixed moment."""
    until = datetime(2100, 1, 1, tzinfo=UTC)
    return report_on(await cases(world.bot.database, None, until), None, until)


async def test_routine_work_never_scans_a_whole_table(world: World) -> None:
    with executed_statements() as seen:
        await do_routine_work(world)

    full_scans = {
        statement: line
        for statement, values in seen.items()
        if statement.startswith(("SELECT", "UPDATE", "DELETE"))
        for line in world.database.plan(statement, values)
        if WHOLE_TABLE.fullmatch(line)
    }
    assert not full_scans


async def test_a_report_replays_only_histories_with_new_events(begun: World) -> None:
    await begun.walk_to(3)
    await begun.begin("Beta Heating")
    first = await all_time_report(begun)

    with executed_statements() as seen:
        assert await all_time_report(begun) == first
    assert not [statement for statement in seen if "FROM event" in statement]

    await begun.press(begun.ann, "step:3", "step_done")
    await begun.idle()
    with executed_statements() as seen:
        assert await all_time_report(begun) != first
    [replayed] = [values for statement, values in seen.items() if "FROM event" in statement]
    onboardings = {row_id for (row_id,) in begun.rows("SELECT id FROM onboarding")}
    assert len(onboardings.intersection(replayed)) == 1


@ON_BOTH
async def test_a_corrupt_summary_is_rebuilt(begun: World) -> None:
    await begun.walk_to(3)
    first = await all_time_report(begun)

    for corrupt in ("", "{", "[]", '{"checks": 3}'):
        begun.write("UPDATE summary SET figures = ?", corrupt)
        assert await all_time_report(begun) == first


async def test_turning_a_report_page_recomputes_nothing(begun: World) -> None:
    await begun.type("report")

    with executed_statements() as seen:
        await begun.erin.press(begun.view_of(begun.erin), "report_page:steps")
        await begun.idle()

    assert "report_page:overview" in str(begun.view_of(begun.erin).content)
    assert not [statement for statement in seen if "FROM event" in statement]


@ON_SQLITE
async def test_a_digest_claimed_by_another_worker_is_not_computed(
    database: AnyDatabase,
) -> None:
    with freeze_time("2026-03-02 15:00", tick=True, real_asyncio=True):
        async with running_world(database, digest_at="Mon 09:00") as world:
            await world.begin()
            claimed = (digest_slot(date(2026, 3, 2)), datetime.now(UTC))
            world.write("INSERT INTO notice (id, since) VALUES (?, ?)", *claimed)

            with executed_statements() as seen:
                await world.bot.digest.look()

    assert not [statement for statement in seen if "FROM event" in statement]


async def test_events_that_are_never_announced_are_not_left_pending(begun: World) -> None:
    await begun.walk_to(12)
    await begun.idle()

    waiting = begun.rows("SELECT kind FROM event WHERE announced_ts IS NULL")

    assert not {kind.value for kind in NEVER_ANNOUNCED}.intersection(kind for (kind,) in waiting)


async def test_old_request_keys_are_deleted_after_a_restart(begun: World) -> None:
    begun.write(OLD_KEYS)
    kept = begun.rows("SELECT count(*) FROM delivery WHERE id NOT LIKE 'old %'")

    async with begun.second_bot() as restarted:
        await restarted.sweep()

    assert begun.rows("SELECT count(*) FROM delivery") == kept
