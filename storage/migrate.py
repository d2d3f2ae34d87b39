"""Applies the migrations, and checks whether they are applied."""

from collections.abc import Collection
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from storage import sqlite
from storage.audit.seals import Seals
from storage.database import is_sqlite, sync_engine


class Unusable(Exception):
    """The database can't be used as it is."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what}; {fix}")
        self.what, self.fix = what, fix


class Missing(Unusable):
    """The database's file does not exist."""


class Outdated(Unusable):
    """Migrations have to be applied."""


class Newer(Unusable):
    """A newer version of the bot has migrated the tables."""


MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(url: str, revision: str = "head", seals: Seals | None = None) -> None:
    """Apply the missing migrations up to `revision`; creates a missing SQLite file.

    `seals` sign a history from before there were seals. Raises Unusable for a database of a newer
    version, and SQLAlchemy's errors.
    """
    if is_sqlite(url) and sqlite.file(url).is_dir():
        _check_file(url)
    _check_known(url, _applied(url))
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
    if applied != set(_scripts(url).get_heads()):
        what = "its tables are older than this version" if applied else "it has no tables of ours"
        raise Outdated(f"{where(url)}: {what}", "run “onboarding db upgrade”")


def where(url: str) -> str:
    """Name the database without secrets: SQLite's file, or PostgreSQL's host and database."""
    if is_sqlite(url):
        return str(sqlite.file(url))
    parsed = make_url(url)
    return f"{parsed.host or parsed.query.get('host', 'localhost')}/{parsed.database or ''}"


def _check_file(url: str) -> None:
    file = sqlite.file(url)
    if file.is_dir():
        raise Missing(f"{file}: is a folder", "name a file in it")
    if not file.exists():
        raise Missing(
            f"{file}: there is no such file",
            "go to the bot's folder, set an absolute path (sqlite:////…), or make a new database "
            "with “onboarding db upgrade”",
        )


def _check_known(url: str, applied: Collection[str]) -> None:
    known = {script.revision for script in _scripts(url).walk_revisions()}
    if newer := sorted(set(applied) - known):
        raise Newer(
            f"{where(url)}: a newer version of the bot has changed its tables "
            f"(revision {', '.join(newer)})",
            "install that version again, or put back a backup from before",
        )


def _applied(url: str) -> set[str]:
    with sync_engine(url).connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads())


def _scripts(url: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(url))


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    return config
