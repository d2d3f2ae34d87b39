"""When to look which onboarding over for a nudge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import ACTIVE, OnboardingRow


@dataclass(frozen=True, slots=True)
class Waiting:
    """An onboarding that is to be looked over, as it was when that was found out."""

    id: str
    revision: int


async def to_look_over(session: AsyncSession, now: datetime, limit: int) -> Sequence[Waiting]:
    """Return the active onboardings whose time has come, and after them those that changed."""
    row = OnboardingRow
    at = col(row.next_reminder)
    # ACTIVE as the index has it: with a parameter in its place, SQLite would not use the index.
    query = select(row.id, row.revision).where(ACTIVE, or_(at.is_(None), at <= now))
    found = await session.exec(query.order_by(at.is_(None), at).limit(limit))
    return [Waiting(*one) for one in found]


async def look_again(
    session: AsyncSession, onboarding_id: str, revision: int, at: datetime
) -> None:
    """Leave an onboarding alone until `at`, unless it has changed since `revision`."""
    row = OnboardingRow
    where = (col(row.id) == onboarding_id, col(row.revision) == revision)
    await session.exec(update(row).where(*where).values(next_reminder=at))
