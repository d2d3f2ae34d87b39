"""Row contents are sealed too, and the log exposes an earlier state that was restored."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.logs import JsonFormatter, TextFormatter
from storage.audit.head_log import log_head, read_heads
from storage.cache import OnboardingCache
from tests.background import wait_for_tasks
from tests.commands import CommandResult, onboarding
from tests.databases import ON_BOTH, ON_SQLITE, SqliteFile
from tests.integration.test_cli import VALID_SETTINGS
from tests.integration.test_seals import NEW, OLD, problems, reseal_all
from tests.integration.world import World


@pytest.fixture
async def filled(begun: World) -> World:
    """A world with some steps done and one value entered."""
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
async def test_altered_rows_are_detected(filled: World, subtests: pytest.Subtests) -> None:
    for statement, problem in ALTERED.items():
        with subtests.test(statement), filled.database.restored(*SEALED):
            filled.write(statement)

            [line] = await problems(filled)

            assert problem in line
    assert await problems(filled) == []


@ON_SQLITE  # SQLite accepts any value in any column
async def test_malformed_column_values_are_detected(
    filled: World, subtests: pytest.Subtests
) -> None:
    for statement in (
        "UPDATE onboarding SET client_admins = 'no json'",
        "UPDATE onboarding SET started_at = 'yesterday'",
        "UPDATE step SET at = 'yesterday' WHERE number = 3",
        "UPDATE onboarding SET sealed_state = 'no json'",
        'UPDATE onboarding SET sealed_state = \'{"versions": 1, "digests": 2, "seal": 3}\'',
    ):
        with subtests.test(statement), filled.database.restored(*SEALED):
            filled.write(statement)

            assert len(await problems(filled)) == 1


@ON_BOTH
async def test_continuing_the_onboarding_does_not_hide_an_alteration(filled: World) -> None:
    filled.write("UPDATE step SET by_user = 'U0SOMEBODY' WHERE number = 3")
    filled.write("UPDATE onboarding SET engineer = 'U0SOMEBODY'")
    filled.bot.database.cache = OnboardingCache()

    await filled.press(filled.ann, "step:12", "step_done")

    lines = await problems(filled)
    assert [line.split(":")[0] for line in lines] == [
        "whose onboarding it is",
        "who did which step, or its state was altered",
    ]


async def test_a_change_or_a_refusal_does_not_reseal_an_altered_state(filled: World) -> None:
    filled.write("UPDATE onboarding SET sealed_state = '{}'")

    await filled.ann.press_raw(
        filled.message("root"), "run_verification", f"{filled.onboarding}:25"
    )
    await filled.press(filled.ann, "step:12", "step_done")
    assert (await filled.enter(filled.ann, 11, booking_provider_id="987654321")).ok

    assert any("don't fit their seal" in line for line in await problems(filled))


@ON_BOTH
async def test_rotation_seals_the_state_with_the_first_key(filled: World) -> None:
    assert await reseal_all(filled, NEW, OLD) == (1, [])

    assert await problems(filled, NEW) == []
    filled.write("UPDATE step SET by_user = 'U0SOMEBODY' WHERE number = 3")
    assert "who did which step" in (await problems(filled, NEW))[0]


# --- an earlier state, restored by someone who can write but has no key ---

TABLES = ("credential", "verification", "event", "message", "step", "onboarding")


def copy_database(world: World) -> Path:
    """Copy the database as it is now, as an attacker or a backup might."""
    file = world.database.directory / "earlier.db"
    assert isinstance(world.database, SqliteFile)
    with (
        closing(sqlite3.connect(world.database.path)) as source,
        closing(sqlite3.connect(file)) as target,
    ):
        source.backup(target)
    return file


def restore(world: World, earlier: Path | None) -> None:
    """Restore the earlier rows, or delete all rows if there are none."""
    assert isinstance(world.database, SqliteFile)
    with closing(sqlite3.connect(world.database.path)) as connection, connection:
        connection.execute("ATTACH ? AS earlier", [str(earlier or ":memory:")])
        for table in TABLES:
            connection.execute(f"DELETE FROM main.{table}")  # noqa: S608
        for table in reversed(TABLES) if earlier else ():
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM earlier.{table}")  # noqa: S608


def log_of(records: list[logging.LogRecord], formatter: logging.Formatter) -> str:
    return "\n".join(["something else", *map(formatter.format, records), ""])


async def db_check(world: World, *words: str) -> CommandResult:
    settings = {**VALID_SETTINGS, "DATABASE_URL": world.settings.database_url}
    return await onboarding(world.database.directory, "db", "check", *words, **settings)


async def check_against_log(world: World, log: str) -> CommandResult:
    file = world.database.directory / "bot.log"
    file.write_text(log)
    return await db_check(world, "--heads", str(file))


@ON_SQLITE
@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
async def test_a_restored_earlier_state_passes_its_seals_but_not_the_log(
    begun: World, caplog: pytest.LogCaptureFixture, formatter: logging.Formatter
) -> None:
    """Check both sides of the claim in docs/security.md."""
    caplog.set_level(logging.INFO, "storage.audit")
    await begun.press(begun.ann, "step:1", "choose_account:new")
    earlier = copy_database(begun)
    for number in (2, 3):
        await begun.press(begun.ann, f"step:{number}", "step_done")
    log = log_of(caplog.records, formatter)
    assert (await check_against_log(begun, log)).status == 0

    restore(begun, earlier)

    without_log, with_log = await db_check(begun), await check_against_log(begun, log)
    assert (without_log.status, with_log.status) == (0, 1)
    assert "it ends with event 3, and the log knew 5" in with_log.err


@ON_SQLITE
async def test_continuing_from_a_restored_state_does_not_hide_it_from_the_log(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "storage.audit")
    await begun.press(begun.ann, "step:1", "choose_account:new")
    earlier = copy_database(begun)
    for number in (2, 3):
        await begun.press(begun.ann, f"step:{number}", "step_done")
    log = log_of(caplog.records, TextFormatter())

    restore(begun, earlier)
    async with begun.second_bot() as bot:
        begun.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
        for number in (2, 3, 4):
            await begun.ann.press_raw(
                begun.message("root"), "step_done", f"{begun.onboarding}:{number}"
            )
            await wait_for_tasks(bot.tasks)

    assert (await db_check(begun)).status == 0
    assert "it isn't the history that the log knew" in (await check_against_log(begun, log)).err


@ON_SQLITE
async def test_only_the_log_reveals_a_deleted_onboarding(
    begun: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "storage.audit")
    await begun.press(begun.ann, "step:1", "choose_account:new")
    log, name = log_of(caplog.records, TextFormatter()), begun.onboarding

    restore(begun, None)

    assert (await db_check(begun)).status == 0
    with_log = await check_against_log(
        begun, f"x onboarding={name} events=1 head=01234567.2:{'0' * 16}\n{log}"
    )
    assert f"onboarding {name}: the log knew it, and it is gone" in with_log.err


@ON_SQLITE
async def test_a_history_cut_back_to_its_old_end_is_detected_without_a_log(filled: World) -> None:
    """Only history rows are rolled back; the state's seal covers the history's end."""
    [(length, end)] = filled.rows("SELECT history_length, history_end FROM onboarding")
    await filled.press(filled.ann, "step:12", "step_done")
    await filled.press(filled.ann, "step:13", "step_done")

    filled.write("DELETE FROM event WHERE position > ?", length)
    filled.write("UPDATE onboarding SET history_length = ?, history_end = ?", length, end)

    assert any("don't fit their seal" in line for line in await problems(filled))


def test_a_logged_head_is_shortened_and_can_be_read_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "storage.audit")

    log_head("a" * 16, 7, "0123abcd.2:" + "f" * 64)

    [line] = [JsonFormatter().format(record) for record in caplog.records]
    assert read_heads([line, "nothing"]) == {"a" * 16: {7: "0123abcd.2:" + "f" * 16}}
