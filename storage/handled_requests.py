"""The requests that were carried out, so that replays and retries change nothing twice."""

from datetime import datetime

from sqlalchemy import bindparam, text
from sqlmodel import col, delete, select

from bot.core.errors import Repeated
from storage.column_types import UtcDateTime
from storage.session import Session
from storage.statements import execute
from storage.tables import DeliveryRow

CLAIM = text("INSERT INTO delivery (id, at) VALUES (:id, :at) ON CONFLICT DO NOTHING").bindparams(
    bindparam("at", type_=UtcDateTime)
)
BATCH = 500  # the most that are deleted at a time


async def claim(session: Session, request_key: str, now: datetime) -> None:
    """Note that a request is carried out in this transaction; raises Repeated if it was before."""
    if not await execute(session, CLAIM, {"id": request_key, "at": now}):
        raise Repeated


async def purge(session: Session, before: datetime) -> int:
    """Delete up to BATCH keys of requests from before then; return how many were deleted."""
    row = DeliveryRow
    old = select(row.id).where(col(row.at) < before).limit(BATCH)
    return (await session.exec(delete(row).where(col(row.id).in_(old)))).rowcount
