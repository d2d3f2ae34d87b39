"""Inserts that update the row if it exists, in each database's dialect."""

from typing import TYPE_CHECKING

from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def upsert(session: AsyncSession, row: type[SQLModel]) -> "sqlite.Insert | postgresql.Insert":
    """Return an insert with `on_conflict_do_update`.

    SQLAlchemy's PostgreSQL costs memory that SQLite needn't spend.
    """
    if session.get_bind().dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    return insert(row)
