"""Brings the tables of a database to the newest revision, and tells whether they are there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from storage.database import sync_url
from storage.seals import Seals

MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(url: str, revision: str = "head", seals: Seals | None = None) -> None:
    """Apply the migrations up to `revision`; what is applied already is left alone.

    A history from before there were seals is sealed with `seals`.
    """
    config = _config(url)
    config.attributes["seals"] = seals
    command.upgrade(config, revision)


def downgrade(url: str, revision: str) -> None:
    """Take back the migrations after `revision` (`base`: all)."""
    command.downgrade(_config(url), revision)


def is_current(url: str) -> bool:
    """Whether the database at `url` has every migration."""
    engine = create_engine(sync_url(url), hide_parameters=True)
    try:
        with engine.connect() as connection:
            applied = set(MigrationContext.configure(connection).get_current_heads())
    finally:
        engine.dispose()
    return applied == set(ScriptDirectory.from_config(_config(url)).get_heads())


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = sync_url(url)
    return config
