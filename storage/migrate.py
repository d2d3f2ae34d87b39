"""Applies the migrations, and checks whether they are applied.

Alembic is imported only if there is something to apply, which is rare at startup.
"""

import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, make_url, text

from bot.core.english import count
from storage import sqlite
from storage.audit.seals import Seals
from storage.database import is_sqlite, other_connections, sync_engine

if TYPE_CHECKING:
    from alembic.config import Config


class Unusable(Exception):
    """The database can't be used as it is."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what}; {fix}")
        self.what, self.fix = what, fix


MIGRATIONS = Path(__file__).with_name("migrations")
# PostgreSQL takes a moment to end the connections of a process that has just stopped.
STOPPING_SECONDS = 5


def upgrade(
    url: str, revision: str = "head", seals: Seals | None = None, *, force: bool = False
) -> None:
    """Apply the missing migrations up to `revision`; creates a missing SQLite file.

    `seals` sign a history from before there were seals. Raises Unusable for a database of a newer
    version, or if others are connected and a migration says `stop_all` (unless `force`), and
    SQLAlchemy's errors.
    """
    if is_sqlite(url) and sqlite.file(url).is_dir():
        _check_file(url)
    applied = _applied(url)
    _check_known(url, applied)
    if applied == {newest()}:
        return
    if not (force or is_sqlite(url)) and _must_stop_all(url, applied, revision):
        _check_alone(url)

    from alembic import command

    config = _config(url)
    config.attributes["seals"] = seals
    command.upgrade(config, revision)


def check(url: str) -> None:
    """Raise Unusable unless the database at `url` has exactly the tables of this version.

    Changes nothing. Raises SQLAlchemy's errors if the database can't be reached.
    """
    if is_sqlite(url):
        _check_file(url)
    applied = _applied(url)
    _check_known(url, applied)
    if applied != {newest()}:
        what = "its tables are older than this version" if applied else "it has no tables of ours"
        raise Unusable(f"{where(url)}: {what}", "run “onboarding db upgrade”")


def newest() -> str:
    """Return the revision of this version's tables."""
    return max(_revisions())


def where(url: str) -> str:
    """Name the database without secrets: SQLite's file, or PostgreSQL's host and database."""
    if is_sqlite(url):
        return str(sqlite.file(url))
    parsed = make_url(url)
    return f"{parsed.host or parsed.query.get('host', 'localhost')}/{parsed.database or ''}"


def _check_file(url: str) -> None:
    file = sqlite.file(url)
    if file.is_dir():
        raise Unusable(f"{file}: is a folder", "name a file in it")
    if not file.exists():
        raise Unusable(
            f"{file}: there is no such file",
            "go to the bot's folder, set an absolute path (sqlite:////…), or make a new database "
            "with “onboarding db upgrade”",
        )


def _check_known(url: str, applied: Collection[str]) -> None:
    if newer := sorted(set(applied) - _revisions()):
        raise Unusable(
            f"{where(url)}: a newer version of the bot has changed its tables "
            f"(revision {', '.join(newer)})",
            "install that version again, or put back a backup from before",
        )


def _must_stop_all(url: str, applied: Collection[str], revision: str) -> bool:
    """Whether a missing migration would break an earlier release that is running."""
    if not applied:
        return False

    from alembic.script import ScriptDirectory

    missing = ScriptDirectory.from_config(_config(url)).iterate_revisions(revision, tuple(applied))
    return any(getattr(script.module, "stop_all", False) for script in missing)


def _check_alone(url: str) -> None:
    deadline = time.monotonic() + STOPPING_SECONDS
    while others := other_connections(url):
        if time.monotonic() > deadline:
            raise Unusable(
                f"{where(url)}: {count(others, 'connection')} of other processes, and a running "
                "bot would not survive this upgrade; nothing was changed",
                "stop every bot and try again, or say --force if these are only a pooler's",
            )
        time.sleep(0.1)


def _applied(url: str) -> set[str]:
    with sync_engine(url).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return set()
        return set(connection.scalars(text("SELECT version_num FROM alembic_version")))


def _revisions() -> set[str]:
    """Return all revisions: a migration's file begins with its own."""
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def _config(url: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    return config
