"""When each kind of request last arrived, for `doctor` and other workers."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlmodel import col, select, update

from storage.column_types import UtcDateTime
from storage.session import Session
from storage.statements import apply, execute
from storage.tables import ArrivalRow

# Not a request: when a worker last found that everything is fine.
WELL = "well"

RECORD = text("""
    INSERT INTO arrival (kind, at) VALUES (:kind, :at)
    ON CONFLICT (kind) DO UPDATE SET at = excluded.at WHERE arrival.at < excluded.at
""").bindparams(bindparam("at", type_=UtcDateTime))


async def last(session: Session) -> dict[str, datetime]:
    """Return the time of the last arrival of each kind."""
    return {row.kind: row.at for row in await session.exec(select(ArrivalRow))}


async def record(session: Session, times: Mapping[str, datetime]) -> None:
    """Record the last arrivals; a time before the stored one is ignored."""
    await execute(session, RECORD, *({"kind": kind, "at": at} for kind, at in times.items()))


async def move(session: Session, kind: str, now: datetime) -> datetime | None:
    """Record that a kind arrived `now`, and return when it last did before.

    Only one of several workers gets that time: the others get None, as on the first arrival.
    """
    row = await session.get(ArrivalRow, kind)
    if row is None:
        session.add(ArrivalRow(kind=kind, at=now))
        return None
    last = row.at
    where = (col(ArrivalRow.kind) == kind, col(ArrivalRow.at) == last, col(ArrivalRow.at) < now)
    moved = await apply(session, update(ArrivalRow).where(*where).values(at=now))
    return last if moved else None
