"""Runs Alembic's migrations on the database that `storage.migrate` names."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, event
from sqlmodel import SQLModel

from storage import tables  # noqa: F401  # fills SQLModel.metadata
from storage.database import sync_engine


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA secure_delete = ON")  # a recreated table leaves its old pages


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


engine = sync_engine(context.config.attributes["url"])
sqlite = engine.dialect.name == "sqlite"
if sqlite:
    # Python's driver commits each CREATE and ALTER separately, so a kill in between would leave
    # tables that no later start could create again. SQLite itself can roll them all back.
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=sqlite,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
