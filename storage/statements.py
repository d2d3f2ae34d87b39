"""Runs statements that are prepared once, as those of a press are, without the ORM.

To build a statement, compile it and track its objects takes SQLAlchemy longer than SQLite takes to
answer. Nothing that the ORM has not written yet is flushed before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


async def run(
    session: AsyncSession, statement: Executable, parameters: Parameters
) -> CursorResult[Any]:
    """Execute a statement in the transaction of a session."""
    connection: AsyncConnection = session.info["connection"]
    return await connection.execute(statement, parameters)
