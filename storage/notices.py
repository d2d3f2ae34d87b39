"""What was told once and stays true, so that no restart and no other worker tells it again."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, delete, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import NoticeRow


@dataclass(frozen=True, slots=True)
class Notice:
    """Since when somebody is to post it; without `ts`, it is not known whether it was posted."""

    since: datetime
    ts: str | None = None


async def get(session: AsyncSession, notice: str) -> Notice | None:
    """Return what is known of a notice, None if it was not told."""
    row = await session.get(NoticeRow, notice, populate_existing=True)
    return Notice(row.since, row.ts) if row else None


async def claim(session: AsyncSession, notice: str, now: datetime) -> None:
    """Be the one who tells it; Conflict at the end of the transaction if somebody else is."""
    session.add(NoticeRow(id=notice, since=now))


async def take_over(session: AsyncSession, notice: str, since: datetime, now: datetime) -> bool:
    """Tell it in the place of who claimed it at `since`; False if somebody else does."""
    row = NoticeRow
    where = (col(row.id) == notice, col(row.since) == since, col(row.ts).is_(None))
    return bool((await session.exec(update(row).where(*where).values(since=now))).rowcount)


async def record(session: AsyncSession, notice: str, ts: str) -> None:
    """Write down that it was posted."""
    await session.exec(update(NoticeRow).where(col(NoticeRow.id) == notice).values(ts=ts))


async def drop(session: AsyncSession, notice: str) -> None:
    """Forget it: it is not so any more, or it was not told."""
    await session.exec(delete(NoticeRow).where(col(NoticeRow.id) == notice))
