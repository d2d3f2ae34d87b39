"""The migrations make the tables that the code expects, and can be taken back."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import DateTime, create_engine, inspect
from sqlmodel import SQLModel

from storage import migrate
from storage.types import UtcDateTime

TABLES = {
    "onboarding",
    "step",
    "message",
    "credential",
    "delivery",
    "verification",
    "event",
    "guide",
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/onboarding.db"


def tables_in(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def columns_of(url: str, table: str) -> set[str]:
    engine = create_engine(url)
    try:
        return {column["name"] for column in inspect(engine).get_columns(table)}
    finally:
        engine.dispose()


def test_an_empty_database_gets_every_table(url: str) -> None:
    migrate.upgrade(url)

    assert tables_in(url) == TABLES


def test_the_tables_are_what_the_code_expects(url: str) -> None:
    migrate.upgrade(url)
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.attributes["url"] = url

    try:
        command.check(config)
    except CommandError as differences:
        pytest.fail(str(differences))


def test_applying_them_twice_changes_nothing(url: str) -> None:
    migrate.upgrade(url)
    migrate.upgrade(url)

    assert tables_in(url) == TABLES


def test_they_can_be_taken_back_and_applied_again(url: str) -> None:
    migrate.upgrade(url)
    migrate.downgrade(url, "base")
    assert tables_in(url) == set()

    migrate.upgrade(url)

    assert tables_in(url) == TABLES


def test_a_database_without_them_is_not_current(url: str) -> None:
    assert not migrate.is_current(url)


def test_a_database_with_all_of_them_is_current(url: str) -> None:
    migrate.upgrade(url)

    assert migrate.is_current(url)


def test_a_folder_with_a_percent_sign_is_no_trouble(tmp_path: Path) -> None:
    folder = tmp_path / "100%"
    folder.mkdir()

    migrate.upgrade(f"sqlite:///{folder}/onboarding.db")

    assert (folder / "onboarding.db").exists()


def test_credentials_have_the_columns_that_others_rely_on(url: str) -> None:
    migrate.upgrade(url)

    assert {"onboarding_id", "field", "ciphertext"} <= columns_of(url, "credential")


def test_every_time_is_kept_in_utc() -> None:
    columns = [column for table in SQLModel.metadata.sorted_tables for column in table.columns]
    times = [column for column in columns if isinstance(column.type, UtcDateTime | DateTime)]

    assert times
    assert all(isinstance(column.type, UtcDateTime) for column in times)
