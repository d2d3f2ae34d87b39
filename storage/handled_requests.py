"""The requests that were carried out, so that replays and retries change nothing twice."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, insert
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import Repeated
from storage.tables import DeliveryRow


async def claim(session: AsyncSession, request_key: str, now: datetime) -> None:
    """Note that a request is carried out in this transaction; raises Repeated if it was before."""
    try:
        await session.exec(insert(DeliveryRow).values(id=request_key, at=now))
    except IntegrityError:
        raise Repeated from None


async def purge(session: AsyncSession, before: datetime) -> None:
    """Delete the keys of requests from before then."""
    await session.exec(delete(DeliveryRow).where(col(DeliveryRow.at) < before))
