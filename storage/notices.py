"""Notices that are posted once, regardless of restarts and the number of workers."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, delete, update

from storage.session import Session
from storage.statements import apply
from storage.tables import NoticeRow


@dataclass(frozen=True, slots=True)
class Notice:
    """When a worker claimed to post it; without `ts`, it is not known whether that succeeded."""

    since: datetime
    ts: str | None = None


async def get(session: Session, notice: str) -> Notice | None:
    """Return a notice, or None if nobody has claimed it."""
    row = await session.get(NoticeRow, notice, populate_existing=True)
    return Notice(row.since, row.ts) if row else None


async def claim(session: Session, notice: str, now: datetime) -> None:
    """Claim a notice; the transaction ends with Conflict if another worker has."""
    session.add(NoticeRow(id=notice, since=now))


async def take_over(session: Session, notice: str, since: datetime, now: datetime) -> bool:
    """Take over a claim made at `since` whose result is unknown; False if another worker has."""
    row = NoticeRow
    where = (col(row.id) == notice, col(row.since) == since, col(row.ts).is_(None))
    return await apply(session, update(row).where(*where).values(since=now))


async def record(session: Session, notice: str, ts: str) -> None:
    await session.exec(update(NoticeRow).where(col(NoticeRow.id) == notice).values(ts=ts))


async def drop(session: Session, notice: str) -> None:
    """Delete it: it is no longer true, or was not posted."""
    await session.exec(delete(NoticeRow).where(col(NoticeRow.id) == notice))
