"""What the rows say is sealed too, and an earlier state that was put back is known by the log."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.logs import JsonFormatter, TextFormatter
from storage.audit.head_log import log_head, read_heads
from storage.cache import OnboardingCache
from tests.background import finished
from tests.commands import Ended, onboarding
from tests.databases import ON_BOTH, ON_SQLITE, SqliteFile
from tests.integration.test_cli import COMPLETE
from tests.integration.test_seals import NEW, OLD, problems, resealed
from tests.integration.world import World


@pytest.fixture
async def told(begun: World) -> World:
    """A world in which some steps are done and a value is in."""
    await begun.walk_to(11)
    assert (await begun.enter(begun.ann, 11, booking_provider_id="123456789")).ok
    await begun.press(begun.ann, "step:11", "step_done")
    assert await problems(begun) == []
    return begun


ALTERED = {
    "UPDATE step SET by_user = 'U0SOMEBODY' WHERE number = 3": "who did which step",
    "UPDATE step SET by_team = 'T0ELSEWHERE' WHERE number = 3": "who did which step",
    "UPDATE step SET by_role = 'engineer' WHERE number = 3": "who did which step",
    "UPDATE step SET at = '2020-01-01 00:00:00.000000' WHERE number = 3": "who did which step",
    "UPDATE step SET state = 'done' WHERE number = 20": "who did which step",
    "DELETE FROM step WHERE number = 25": "who did which step",
    "UPDATE onboarding SET client_name = 'Somebody'": "whose onboarding it is",
    "UPDATE onboarding SET client_admins = '[\"U0SOMEBODY\"]'": "whose onboarding it is",
    "UPDATE onboarding SET engineer = 'U0SOMEBODY'": "whose onboarding it is",
    "UPDATE onboarding SET channel = 'C0ELSEWHERE'": "whose onboarding it is",
    "UPDATE onboarding SET status = 'paused'": "whose onboarding it is",
    "UPDATE credential SET submitted_by_user = 'U0SOMEBODY'": "who entered which value",
    "UPDATE credential SET mask = '••••0000'": "who entered which value",
    "UPDATE credential SET version = 2": "who entered which value",
    "DELETE FROM credential": "who entered which value",
    "UPDATE onboarding SET sealed_state = '{}'": "don't fit their seal",
}


SEALED = ("onboarding", "step", "credential", "event")


@ON_BOTH
async def test_what_a_row_says_is_sealed(told: World, subtests: pytest.Subtests) -> None:
    for statement, what in ALTERED.items():
        with subtests.test(statement), told.database.restored(*SEALED):
            told.write(statement)

            [line] = await problems(told)

            assert what in line
    assert await problems(told) == []


@ON_SQLITE  # which takes anything everywhere
async def test_what_fits_no_column_is_named(told: World, subtests: pytest.Subtests) -> None:
    for statement in (
        "UPDATE onboarding SET client_admins = 'no json'",
        "UPDATE onboarding SET started_at = 'yesterday'",
        "UPDATE step SET at = 'yesterday' WHERE number = 3",
        "UPDATE onboarding SET sealed_state = 'no json'",
        'UPDATE onboarding SET sealed_state = \'{"versions": 1, "digests": 2, "seal": 3}\'',
    ):
        with subtests.test(statement), told.database.restored(*SEALED):
            told.write(statement)

            assert len(await problems(told)) == 1


@ON_BOTH
async def test_going_on_does_not_hide_what_was_altered(told: World) -> None:
    told.write("UPDATE step SET by_user = 'U0SOMEBODY' WHERE number = 3")
    told.write("UPDATE onboarding SET engineer = 'U0SOMEBODY'")
    told.bot.database.cache = OnboardingCache()

    await told.press(told.ann, "step:12", "step_done")

    lines = await problems(told)
    assert [line.split(":")[0] for line in lines] == [
        "whose onboarding it is",
        "who did which step, or its state was altered",
    ]


async def test_an_altered_state_is_not_sealed_by_a_change_or_a_refusal(told: World) -> None:
    told.write("UPDATE onboarding SET sealed_state = '{}'")

    await told.ann.press_raw(told.message("root"), "run_verification", f"{told.onboarding}:25")
    await told.press(told.ann, "step:12", "step_done")
    assert (await told.enter(told.ann, 11, booking_provider_id="987654321")).ok

    assert any("don't fit their seal" in line for line in await problems(told))


@ON_BOTH
async def test_rotation_seals_the_state_with_the_first_key(told: World) -> None:
    assert await resealed(told, NEW, OLD) == (1, [])

    assert await problems(told, NEW) == []
    told.write("UPDATE step SET by_user = 'U0SOMEBODY' WHERE number = 3")
    assert "who did which step" in (await problems(told, NEW))[0]


# --- an earlier state that was put back, by somebody who can write and has no key ---

TABLES = ("credential", "verification", "event", "message", "step", "onboarding")


def copied(world: World) -> Path:
    """Keep the database as it is now, as an attacker may, or a backup."""
    file = world.database.directory / "earlier.db"
    assert isinstance(world.database, SqliteFile)
    with (
        closing(sqlite3.connect(world.database.path)) as source,
        closing(sqlite3.connect(file)) as target,
    ):
        source.backup(target)
    return file


def put_back(world: World, earlier: Path | None) -> None:
    """Put the rows back as they were, or remove all of them."""
    assert isinstance(world.database, SqliteFile)
    with closing(sqlite3.connect(world.database.path)) as connection, connection:
        connection.execute("ATTACH ? AS earlier", [str(earlier or ":memory:")])
        for table in TABLES:
            connection.execute(f"DELETE FROM main.{table}")  # noqa: S608
        for table in reversed(TABLES) if earlier else ():
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM earlier.{table}")  # noqa: S608


def log_of(records: list[logging.LogRecord], formatter: logging.Formatter) -> str:
    return "\n".join(["something else", *map(formatter.format, records), ""])


async def db_check(world: World, *words: str) -> Ended:
    settings = {**COMPLETE, "DATABASE_URL": world.settings.database_url}
    return await onboarding(world.database.directory, "db", "check", *words, **settings)


async def compared(world: World, log: str) -> Ended:
    file = world.database.directory / "bot.log"
    file.write_text(log)
    return await db_check(world, "--heads", str(file))


@ON_SQLITE
@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
async def test_an_earlier_state_fits_its_seals_and_not_the_log(
    begun: World, caplog: pytest.LogCaptureFixture, formatter: logging.Formatter
) -> None:
    """The claim of docs/security.md, from both sides."""
    caplog.set_level(logging.INFO, "storage.audit")
    await begun.press(begun.ann, "step:1", "choose_account:new")
    earlier = copied(begun)
    for number in (2, 3):
        await begun.press(begun.ann, f"step:{number}", "step_done")
    log = log_of(caplog.records, formatter)
    assert (await compared(begun, log)).status == 0

    put_back(begun, earlier)

    alone, beside = await db_check(begun), await compared(begun, log)
    assert (alone.status, beside.status) == (0, 1)
    assert "it ends with event 3, and the log knew 5" in beside.err


@ON_SQLITE
async def test_going_on_from_an_earlier_state_does_not_hide_it_from_the_log(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "storage.audit")
    await begun.press(begun.ann, "step:1", "choose_account:new")
    earlier = copied(begun)
    for number in (2, 3):
        await begun.press(begun.ann, f"step:{number}", "step_done")
    log = log_of(caplog.records, TextFormatter())

    put_back(begun, earlier)
    async with begun.second_bot() as bot:
        begun.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
        for number in (2, 3, 4):
            await begun.ann.press_raw(
                begun.message("root"), "step_done", f"{begun.onboarding}:{number}"
            )
            await finished(bot.tasks)

    assert (await db_check(begun)).status == 0
    assert "it isn't the history that the log knew" in (await compared(begun, log)).err


@ON_SQLITE
async def test_an_onboarding_that_is_gone_is_missed_by_the_log_alone(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "storage.audit")
    await begun.press(begun.ann, "step:1", "choose_account:new")
    log, name = log_of(caplog.records, TextFormatter()), begun.onboarding

    put_back(begun, None)

    assert (await db_check(begun)).status == 0
    beside = await compared(
        begun, f"x onboarding={name} events=1 head=01234567.2:{'0' * 16}\n{log}"
    )
    assert f"onboarding {name}: the log knew it, and it is gone" in beside.err


@ON_SQLITE
async def test_a_cut_history_with_its_former_end_is_noticed_without_a_log(told: World) -> None:
    """Rows of the history alone, as the state is sealed with its end."""
    [(length, end)] = told.rows("SELECT history_length, history_end FROM onboarding")
    await told.press(told.ann, "step:12", "step_done")
    await told.press(told.ann, "step:13", "step_done")

    told.write("DELETE FROM event WHERE position > ?", length)
    told.write("UPDATE onboarding SET history_length = ?, history_end = ?", length, end)

    assert any("don't fit their seal" in line for line in await problems(told))


def test_the_head_is_short_enough_to_be_compared_by_eye(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "storage.audit")

    log_head("a" * 16, 7, "0123abcd.2:" + "f" * 64)

    [line] = [JsonFormatter().format(record) for record in caplog.records]
    assert read_heads([line, "nothing"]) == {"a" * 16: {7: "0123abcd.2:" + "f" * 16}}
