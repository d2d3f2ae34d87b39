"""Windows that show stored values, and until when; values are not stored here."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, delete, select, update

from storage.session import Session
from storage.tables import RevealRow


async def put(session: Session, window: str, worker: str, hide_at: datetime) -> None:
    """Record that `worker` is about to show a value in a window, known by its external_id."""
    await session.merge(RevealRow(id=window, worker=worker, hide_at=hide_at))


async def shows(session: Session, window: str) -> bool:
    """Whether a value may be visible in a window."""
    return await session.get(RevealRow, window) is not None


async def due(session: Session, now: datetime, limit: int) -> Sequence[str]:
    """Return the windows whose values must be hidden now, the longest overdue first."""
    query = select(RevealRow.id).where(col(RevealRow.hide_at) <= now)
    return (await session.exec(query.order_by(col(RevealRow.hide_at)).limit(limit))).all()


async def of_worker(session: Session, worker: str) -> Sequence[str]:
    return (await session.exec(select(RevealRow.id).where(col(RevealRow.worker) == worker))).all()


async def put_off(session: Session, window: str, until: datetime) -> None:
    """Try again to hide a window at `until`."""
    where = col(RevealRow.id) == window
    await session.exec(update(RevealRow).where(where).values(hide_at=until))


async def drop(session: Session, window: str) -> None:
    """Delete a window that no longer shows values."""
    await session.exec(delete(RevealRow).where(col(RevealRow.id) == window))
