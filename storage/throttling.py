"""Counters for rate limits, shared by all workers; the limits are in the domain."""

from datetime import datetime, timedelta

from sqlalchemy import case
from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import RateRow
from storage.upserts import upsert


async def count(session: AsyncSession, of: str, more: int, now: datetime, within: timedelta) -> int:
    """Add `more` to the counter `of`, and return its value; it restarts after `within`."""
    row = RateRow
    running = (col(row.since) > now - within) & (col(row.since) <= now)
    counted = {
        "since": case((running, col(row.since)), else_=now),
        "count": case((running, col(row.count) + more), else_=more),
    }
    first = upsert(session, row).values(id=of, since=now, count=more)
    statement = first.on_conflict_do_update(index_elements=[col(row.id)], set_=counted)
    result = await (await session.connection()).execute(statement.returning(col(row.count)))
    return int(result.scalar_one())


async def purge(session: AsyncSession, before: datetime) -> None:
    """Delete the counters that started before then."""
    await session.exec(delete(RateRow).where(col(RateRow.since) < before))
