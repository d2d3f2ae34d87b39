"""A bot of an earlier release keeps working while its tables are migrated underneath it."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from storage import migrate
from tests.databases import ON_BOTH, AnyDatabase, Server
from tests.filled_database import HEAD, SEALS, Rows, connected, content, fill
from tests.releases import RELEASES, Release, survived_by


def tables(known: Rows) -> list[sa.Table]:
    """The tables with only the columns that a release knows and uses."""
    return [
        sa.Table(
            table.name,
            sa.MetaData(),
            *(
                sa.Column(column.name, column.type, primary_key=column.primary_key)
                for column in table.columns
                if column.name in known[table.name][0]
            ),
        )
        for table in SQLModel.metadata.sorted_tables
        if table.name in known
    ]


def read(url: str, known: Rows) -> Rows:
    with connected(url) as connection:
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    sa.select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in tables(known)
        }


def change_each(url: str, known: Rows) -> None:
    """Rewrite every column of each row except its key, as an earlier release does."""
    with connected(url) as connection:
        for table in tables(known):
            for row in known[table.name]:
                keys = {column.name for column in table.primary_key}
                this = sa.and_(*(table.c[name] == row[name] for name in keys))
                values = {name: row[name] for name in row if name not in keys}
                if values:
                    assert connection.execute(sa.update(table).where(this).values(values)).rowcount


def replace_all(url: str, known: Rows) -> None:
    """Delete everything, then insert the rows of `known` with only the columns it names."""
    with connected(url) as connection:
        for table in reversed(tables(known)):
            connection.execute(sa.delete(table))
        for table in tables(known):
            connection.execute(sa.insert(table), known[table.name])


@ON_BOTH
@pytest.mark.parametrize("release", RELEASES.values(), ids=list(RELEASES))
def test_an_earlier_release_can_still_read_and_write_after_a_migration(
    empty_database: AnyDatabase, release: Release
) -> None:
    url = empty_database.url
    fill(url, release.revision)
    known = content(url)

    migrate.upgrade(url, survived_by(release), SEALS)

    assert read(url, known) == known
    change_each(url, known)
    replace_all(url, known)
    assert read(url, known) == known


@ON_BOTH
def test_a_migration_that_breaks_an_earlier_release_is_detected(
    empty_database: AnyDatabase,
) -> None:
    fill(empty_database.url, "0008")
    known = content(empty_database.url)
    migrate.upgrade(empty_database.url, "0015", SEALS)

    with pytest.raises(IntegrityError):
        replace_all(empty_database.url, known)


@pytest.fixture
def in_use(server: Server) -> Iterator[str]:
    """A filled 0.1.0 database that somebody else is connected to."""
    with server.database() as url:
        fill(url, "0008")
        with connected(url):
            yield url


def test_a_breaking_migration_requires_other_processes_to_be_stopped(
    in_use: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(in_use, "0014", SEALS)  # earlier migrations break nothing
    with monkeypatch.context() as now:
        now.setattr(migrate, "STOPPING_SECONDS", 0)
        with pytest.raises(migrate.Unusable, match="1 connection of other processes"):
            migrate.upgrade(in_use, seals=SEALS)
    with pytest.raises(migrate.Unusable, match="older than this version"):
        migrate.check(in_use)

    migrate.upgrade(in_use, seals=SEALS, force=True)

    migrate.check(in_use)
    migrate.upgrade(in_use, HEAD, SEALS)  # up to date, so other connections do no harm
