"""Runs Alembic's migrations on the database that `storage.migrate` names."""

from alembic import context
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from storage import tables  # noqa: F401  # fills SQLModel.metadata

engine = create_engine(context.config.attributes["url"], hide_parameters=True)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
