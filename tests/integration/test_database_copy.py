"""`onboarding db copy` copies everything, seals and ciphertexts included, or nothing."""

from contextlib import closing
from pathlib import Path

import pytest

from storage import migrate
from tests.commands import onboarding
from tests.databases import PostgresDatabase, Server, SqliteFile
from tests.filled_database import HEAD, content, fill
from tests.integration.test_cli import VALID_SETTINGS

KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="  # that of the filled database


@pytest.fixture
def filled(tmp_path: Path) -> SqliteFile:
    database = SqliteFile(tmp_path)
    fill(database.url, HEAD)
    database.path.chmod(0o600)
    return database


async def copy(source: str, target: str, directory: Path) -> tuple[int, str]:
    settings = {**VALID_SETTINGS, "DATABASE_URL": source, "CREDENTIAL_KEYS": KEY}
    ended = await onboarding(directory, "db", "copy", "--to", target, **settings)
    assert "Traceback" not in ended.err
    return ended.status, ended.out + ended.err


async def test_everything_survives_a_copy_to_postgresql_and_back(
    filled: SqliteFile, server: Server, tmp_path: Path
) -> None:
    before = content(filled.url)
    with server.database() as url:
        to_postgresql = await copy(filled.url, url, tmp_path)
        back = f"sqlite:///{tmp_path}/back.db"
        to_sqlite = await copy(url, back, tmp_path)

        assert (to_postgresql[0], to_sqlite[0]) == (0, 0), to_postgresql[1] + to_sqlite[1]
        assert content(url) == content(back) == before
        assert "history intact" in to_postgresql[1]
        assert "readable, 0 not" in to_postgresql[1]
    assert content(filled.url) == before


async def test_new_event_ids_continue_after_the_copied_ones(
    filled: SqliteFile, server: Server, tmp_path: Path
) -> None:
    with server.database() as url:
        assert (await copy(filled.url, url, tmp_path))[0] == 0
        last = max(row["id"] for row in content(url)["event"])
        with closing(PostgresDatabase(tmp_path, url)) as database:
            next_id = database.rows("SELECT nextval('event_id_seq')")

    assert next_id == [(last + 1,)]


async def test_a_database_with_rows_is_not_written_to(filled: SqliteFile, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    migrate.upgrade(other)
    first = await copy(filled.url, other, tmp_path)
    before = content(other)

    second = await copy(filled.url, other, tmp_path)

    assert first[0] == 0, first[1]
    assert second[0] == 1
    assert "isn't empty" in second[1]
    assert content(other) == before


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("sqlite:///onboarding.db", "this is already the database in DATABASE_URL"),
        ("mysql://somewhere", "--to: must begin with sqlite:/// or postgresql://"),
        ("postgresql://u:hush-hush@127.0.0.1:1/d", "nothing was copied: 127.0.0.1/d"),
        ("sqlite:////nowhere/at/all.db", "nothing was copied"),
    ],
)
async def test_an_invalid_target_is_explained_without_its_password(
    filled: SqliteFile, tmp_path: Path, target: str, expected: str
) -> None:
    status, output = await copy(filled.url, target, tmp_path)

    assert status in (1, 2)
    assert expected in output
    assert "hush-hush" not in output


async def test_a_broken_row_is_named_and_nothing_is_copied(
    filled: SqliteFile, tmp_path: Path
) -> None:
    filled.write("UPDATE event SET detail = '{broken' WHERE id = 3")
    other = f"sqlite:///{tmp_path}/other.db"

    status, output = await copy(filled.url, other, tmp_path)

    assert status == 1
    assert "table event, row 3: detail can't be read" in output
    assert not any(content(other).values())
