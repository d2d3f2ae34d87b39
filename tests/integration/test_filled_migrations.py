"""A populated database migrates from any revision to head and back without losing data."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import inspect
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from bot.guide.loading import SERVICETITAN
from bot.onboarding import Change, Onboarding, Status
from bot.onboarding.questions import ask_for_help
from storage import credentials, migrate, onboardings, status
from storage.audit.verify_history import verify
from storage.changes import change
from storage.database import Database
from storage.guides import GuideStore
from storage.tables import OnboardingRow
from storage.to_rows import columns
from tests.builders import NOW, VALUES
from tests.databases import ON_BOTH, AnyDatabase
from tests.filled_database import (
    ANN,
    HEAD,
    REVISIONS,
    SEALS,
    VAULT,
    Rows,
    connected,
    content,
    fill,
    onboardings_at,
)
from tests.migrations import downgrade, is_current
from tests.releases import RELEASES

pytestmark = ON_BOTH

EARLIER = REVISIONS[:-1]
# The revisions of our releases, plus the oldest and the newest before head.
ALWAYS_TESTED = {EARLIER[0], EARLIER[-1], *(release.revision for release in RELEASES.values())}

# Other revisions are tested only if `long`, except for single migrations on SQLite.
TO_HEAD = [
    pytest.param(kind, revision, marks=() if revision in ALWAYS_TESTED else pytest.mark.long)
    for kind in ("sqlite", "postgresql")
    for revision in EARLIER
]
SINGLE_STEPS = [
    pytest.param(
        *(kind, revision, later),
        marks=() if kind == "sqlite" or revision in ALWAYS_TESTED else pytest.mark.long,
    )
    for kind in ("sqlite", "postgresql")
    for revision, later in pairwise(REVISIONS)
]


@pytest.fixture
def url(empty_database: AnyDatabase) -> str:
    return empty_database.url


def restricted_to(before: Rows, after: Rows) -> Rows:
    """The columns of `before` as found in `after`, without the event that records the sealing."""
    return {
        name: [
            {column: row[column] for column in rows[0]}
            for row in after[name]
            if row.get("kind") != "history_sealed"
        ]
        for name, rows in before.items()
    }


def schema(url: str) -> object:
    """Return the tables, columns, keys, and indexes that the database reports."""
    with connected(url) as connection:
        inspector = inspect(connection)
        keys, references = inspector.get_multi_pk_constraint(), inspector.get_multi_foreign_keys()
        indexes = inspector.get_multi_indexes()
        return {
            table: (
                {column["name"]: (str(column["type"]), column["nullable"]) for column in columns},
                keys[table]["constrained_columns"],
                [key["referred_table"] for key in references[table]],
                {index["name"]: _index(index) for index in indexes[table]},
            )
            for table, columns in inspector.get_multi_columns().items()
        }


def _index(index: ReflectedIndex) -> object:
    where = {name: str(text) for name, text in index.get("dialect_options", {}).items()}
    return index["column_names"], index["unique"], where


def test_sample_data_covers_every_column_including_nulls(
    url: str,
) -> None:
    fill(url, HEAD)

    with connected(url) as connection:
        nullable = {
            (table, column["name"])
            for table in inspect(connection).get_table_names()
            for column in inspect(connection).get_columns(table)
            if column["nullable"]
        }
    rows = content(url)
    for table in rows:
        for column in rows[table][0]:
            values = [row[column] for row in rows[table]]
            assert any(value is not None for value in values), (table, column)
            assert (None in values) == ((table, column) in nullable), (table, column)


@pytest.mark.parametrize(
    ("empty_database", "revision", "later"), SINGLE_STEPS, indirect=["empty_database"]
)
def test_each_migration_up_and_down_preserves_data_and_schema(
    url: str, revision: str, later: str
) -> None:
    fill(url, revision)
    before, tables = content(url), schema(url)

    migrate.upgrade(url, later, SEALS)
    assert restricted_to(before, content(url)) == before

    downgrade(url, revision)
    assert content(url) == before
    assert schema(url) == tables


def test_upgrading_to_head_and_back_preserves_data(url: str) -> None:
    fill(url, REVISIONS[0])
    before = content(url)

    migrate.upgrade(url, seals=SEALS)
    downgrade(url, REVISIONS[0])

    assert content(url) == before


@pytest.fixture
async def upgraded(url: str, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Database, str]]:
    """A database filled at an earlier revision and upgraded to head, and that revision."""
    fill(url, request.param)
    before = content(url)
    migrate.upgrade(url, seals=SEALS)
    assert restricted_to(before, content(url)) == before
    database = Database(url, SEALS, GuideStore(SERVICETITAN))
    yield database, request.param
    await database.close()


@pytest.mark.parametrize(("empty_database", "upgraded"), TO_HEAD, indirect=True)
async def test_the_bot_can_read_and_update_upgraded_data(
    upgraded: tuple[Database, str],
) -> None:
    database, revision = upgraded
    known = onboardings_at(revision)

    async with database.begin(write=False) as session:
        rows = {row.id: row for row in await session.exec(select(OnboardingRow))}
        found = {id_: await onboardings.get(session, id_) for id_ in rows}
        lines = await status.overview(session, finished=True, limit=len(known))
        values = {
            (id_, field): VAULT.open(sealed).get_secret_value()
            for id_ in rows
            for field, sealed in (await credentials.of(session, id_)).items()
        }
    assert found == {id_: as_read(known[id_], revision, rows[id_]) for id_ in known}
    assert sorted(line.id for line in lines) == sorted(known)
    assert values == {
        (id_, field): VALUES[field] for id_ in known for field in known[id_].credentials
    }
    for id_, row in rows.items():  # the columns that `status` reads match the state
        later = {"next_reminder": row.next_reminder, "next_check": row.next_check}
        derived = {**columns(found[id_]), **later}
        if revision < "0025":  # known as soon as it is checked again
            derived["checked_at"] = None
        assert {name: getattr(row, name) for name in derived} == derived

    for running in known.values():
        if running.status is Status.ACTIVE:
            await change(database, running.id, ask)
    async with database.begin(write=False) as session:
        checked = await verify(session)
    assert (checked.problems, checked.onboardings) == ([], len(known))
    assert bool(checked.late) == (revision < "0006")


def ask(at: Onboarding) -> Change:
    return ask_for_help(at, 1, "Now?", ANN, NOW)


def as_read(onboarding: Onboarding, revision: str, row: OnboardingRow) -> Onboarding:
    """The onboarding as it reads after the upgrade: turns were not tracked before 0005."""
    turn_at = onboarding.turn_at if revision >= "0005" else onboarding.active_at
    return replace(onboarding, turn_at=turn_at, revision=row.revision, thread_ts=row.thread_ts)


def test_a_downgrade_that_would_lose_a_client_is_rolled_back(url: str) -> None:
    fill(url, HEAD)
    before = content(url)

    with pytest.raises(IntegrityError):  # two share a channel, and 0004 allows only one
        downgrade(url, "0004")

    assert content(url) == before
    assert is_current(url)
