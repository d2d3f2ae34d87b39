"""The migrations create the tables that the code expects, and can be rolled back."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import DateTime, create_engine, inspect
from sqlmodel import SQLModel, col, select

from bot.onboarding import EventKind
from storage import migrate
from storage.audit.seals import Seals
from storage.audit.verify_history import verify
from storage.column_types import UtcDateTime
from storage.database import Database, sync_url
from storage.event_log import event_of
from storage.tables import EventRow
from tests.databases import ON_BOTH, AnyDatabase
from tests.migrations import downgrade, is_current

pytestmark = ON_BOTH

TABLES = {
    "absence",
    "onboarding",
    "step",
    "summary",
    "message",
    "notice",
    "picture",
    "check_round",
    "rate",
    "arrival",
    "credential",
    "delivery",
    "verification",
    "event",
    "guide",
    "home",
    "reveal",
}


@pytest.fixture
def url(empty_database: AnyDatabase) -> str:
    return empty_database.url


def tables_in(url: str) -> set[str]:
    engine = create_engine(sync_url(url))
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def columns_of(url: str, table: str) -> set[str]:
    engine = create_engine(sync_url(url))
    try:
        return {column["name"] for column in inspect(engine).get_columns(table)}
    finally:
        engine.dispose()


def test_an_empty_database_gets_every_table(url: str) -> None:
    migrate.upgrade(url)

    assert tables_in(url) == TABLES


def test_the_migrated_schema_matches_the_models(url: str) -> None:
    migrate.upgrade(url)
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.attributes["url"] = sync_url(url)

    try:
        command.check(config)
    except CommandError as differences:
        pytest.fail(str(differences))


def test_applying_migrations_twice_changes_nothing(url: str) -> None:
    migrate.upgrade(url)
    migrate.upgrade(url)

    assert tables_in(url) == TABLES


def test_migrations_can_be_rolled_back_and_reapplied(url: str) -> None:
    migrate.upgrade(url)
    downgrade(url, "base")
    assert tables_in(url) == set()

    migrate.upgrade(url)

    assert tables_in(url) == TABLES


def test_a_database_without_migrations_is_not_current(url: str) -> None:
    assert not is_current(url)


def test_a_fully_migrated_database_is_current(url: str) -> None:
    migrate.upgrade(url)

    assert is_current(url)


def test_the_database_path_may_contain_a_percent_sign(tmp_path: Path) -> None:
    folder = tmp_path / "100%"
    folder.mkdir()

    migrate.upgrade(f"sqlite:///{folder}/onboarding.db")

    assert (folder / "onboarding.db").exists()


def test_the_credential_table_has_the_columns_others_rely_on(url: str) -> None:
    migrate.upgrade(url)

    assert {"onboarding_id", "field", "ciphertext"} <= columns_of(url, "credential")


def test_every_timestamp_column_is_stored_in_utc() -> None:
    columns = [column for table in SQLModel.metadata.sorted_tables for column in table.columns]
    times = [column for column in columns if isinstance(column.type, UtcDateTime | DateTime)]

    assert times
    assert all(isinstance(column.type, UtcDateTime) for column in times)


ONBOARDING_ROW = """
    INSERT INTO onboarding (id, guide, guide_version, client_name, client_key, channel, engineer,
        client_admins, status, revision, published_revision, finished_steps, turn_at, started_at,
        active_at)
    VALUES ('a1', 'servicetitan', '1', 'Acme', 'acme', 'C1', 'U1', '[]', 'active', 0, 0, 0,
        '2026-01-01 09:00:00.000000', '2026-01-01 09:00:00.000000', '2026-01-01 09:00:00.000000')
"""
EVENT_ROWS = """
    INSERT INTO event (onboarding_id, kind, actor_user, actor_team, actor_role, step, detail, at)
    VALUES ('a1', 'started', 'U1', 'T1', 'engineer', NULL, '{}', '2026-01-01 09:00:00.000000'),
        ('a1', 'help_asked', 'U2', 'T2', 'client_admin', 1, '{"question": "Wo? ü"}',
         '2026-01-01 09:00:01.500000')
"""


@pytest.fixture
def unsealed_history(empty_database: AnyDatabase) -> AnyDatabase:
    """A database with a history, from before histories were sealed."""
    migrate.upgrade(empty_database.url, "0005")
    empty_database.write(ONBOARDING_ROW)
    empty_database.write(EVENT_ROWS)
    return empty_database


async def test_upgrading_seals_an_unsealed_history_and_records_it(
    unsealed_history: AnyDatabase,
) -> None:
    migrate.upgrade(unsealed_history.url, seals=Seals([b"k" * 32]))

    database = Database(unsealed_history.url, Seals([b"k" * 32]))
    async with database.begin(write=False) as session:
        found = await verify(session)
        row = (await session.exec(select(EventRow).where(col(EventRow.position) == 3))).one()
    await database.close()
    assert (found.problems, found.events, found.late) == ([], 3, 2)
    assert event_of(row).kind is EventKind.HISTORY_SEALED


def test_the_upgrade_stops_without_keys_to_seal_the_history(unsealed_history: AnyDatabase) -> None:
    with pytest.raises(RuntimeError, match="keys"):
        migrate.upgrade(unsealed_history.url)


def test_a_downgrade_restores_the_history_from_before_sealing(
    unsealed_history: AnyDatabase,
) -> None:
    migrate.upgrade(unsealed_history.url, seals=Seals([b"k" * 32]))

    downgrade(unsealed_history.url, "0005")

    kinds = unsealed_history.rows("SELECT kind FROM event ORDER BY id")
    assert kinds == [("started",), ("help_asked",)]
