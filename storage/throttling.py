"""Counters for rate limits, shared by all workers; the limits are in the domain."""

from datetime import datetime, timedelta

from sqlalchemy import Integer, bindparam, text
from sqlmodel import col, delete

from storage.column_types import UtcDateTime
from storage.session import Session
from storage.statements import fetch
from storage.tables import RateRow

COUNT = (
    text("""
        INSERT INTO rate (id, since, count) VALUES (:id, :now, :more)
        ON CONFLICT (id) DO UPDATE SET
            count = CASE WHEN rate.since > :old AND rate.since <= :now THEN rate.count ELSE 0 END
                + :more,
            since = CASE WHEN rate.since > :old AND rate.since <= :now THEN rate.since ELSE :now END
        RETURNING count
    """)
    .bindparams(bindparam("now", type_=UtcDateTime), bindparam("old", type_=UtcDateTime))
    .columns(count=Integer)
)


async def count(session: Session, of: str, more: int, now: datetime, within: timedelta) -> int:
    """Add `more` to the counter `of`, and return its value; it restarts after `within`."""
    values = {"id": of, "more": more, "now": now, "old": now - within}
    [row] = await fetch(session, COUNT, values)
    return int(row.count)


async def purge(session: Session, before: datetime) -> None:
    await session.exec(delete(RateRow).where(col(RateRow.since) < before))
