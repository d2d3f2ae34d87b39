"""Which engineers are away, and who covers for them."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlmodel import col, delete, func, or_, select, update

from bot.onboarding.assignment import Absence
from storage.session import Session
from storage.tables import COVERED, RUNNING, AbsenceRow, OnboardingRow
from storage.unreadable_rows import is_readable

KEPT = ("active", "paused", "completed")  # a canceled one stays with the person who canceled it


async def all_of(session: Session) -> Sequence[Absence]:
    """Return every absence, also those that are over and not wrapped up yet."""
    rows = await session.exec(select(AbsenceRow).order_by(col(AbsenceRow.engineer)))
    return [Absence(**row.model_dump()) for row in rows]


async def put(session: Session, absence: Absence) -> None:
    """Write an absence; an earlier one of the same engineer is replaced."""
    await session.merge(AbsenceRow(**asdict(absence)))


async def end(session: Session, engineer: str, at: datetime) -> None:
    row = AbsenceRow
    await session.exec(update(row).where(col(row.engineer) == engineer).values(until=at))


async def drop(session: Session, absence: Absence) -> None:
    """Delete an absence that is wrapped up, unless it was replaced meanwhile."""
    row = AbsenceRow
    where = (col(row.engineer) == absence.engineer, col(row.since) == absence.since)
    await session.exec(delete(row).where(*where, col(row.until) == absence.until))


async def in_hands_of(
    session: Session, engineers: Collection[str]
) -> Sequence[tuple[str, str, str | None]]:
    """Return running onboardings in these hands or covered for them: id, engineer, covers for."""
    row = OnboardingRow
    theirs = or_(col(row.engineer).in_(engineers), col(row.covers_for).in_(engineers))
    query = select(row.id, row.engineer, row.covers_for).where(RUNNING, theirs)
    found = await session.exec(query.where(is_readable(session)).order_by(col(row.id)))
    return [(id_, engineer, covers_for) for id_, engineer, covers_for in found]


async def to_hand_back(
    session: Session, away: Collection[str], limit: int
) -> Sequence[tuple[str, str]]:
    """Return onboardings to hand back to engineers who aren't `away` anymore: id, engineer."""
    row = OnboardingRow
    kept = col(row.status).in_(KEPT)
    where = (COVERED, col(row.covers_for).not_in(away), kept, is_readable(session))
    query = select(row.id, row.covers_for).where(*where).order_by(col(row.id)).limit(limit)
    return [(id_, engineer) for id_, engineer in await session.exec(query) if engineer]


async def clients_of(session: Session, engineer: str) -> int:
    """Return how many running onboardings are an engineer's, covered or not."""
    row = OnboardingRow
    own = or_(col(row.engineer) == engineer, col(row.covers_for) == engineer)
    query = select(func.count()).select_from(row).where(RUNNING, own)
    return (await session.exec(query)).one()
