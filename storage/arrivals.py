"""When each kind of request last arrived: kept for `doctor` and other workers."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import ArrivalRow


async def last(session: AsyncSession) -> dict[str, datetime]:
    """Return the time of the last arrival of each kind."""
    return {row.kind: row.at for row in await session.exec(select(ArrivalRow))}


async def record(session: AsyncSession, times: Mapping[str, datetime]) -> None:
    """Write down the last arrivals; a time before the stored one is ignored."""
    for kind, at in times.items():
        row = await session.get(ArrivalRow, kind)
        if row is None:
            session.add(ArrivalRow(kind=kind, at=at))
        elif row.at < at:
            row.at = at
