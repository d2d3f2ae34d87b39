"""Which verifications are due, and who runs them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.onboarding import Status
from storage.tables import OnboardingRow, VerificationRow
from storage.unreadable import is_readable


async def due(session: AsyncSession, now: datetime, limit: int) -> Sequence[str]:
    """Return the active onboardings with a verification to be run that nobody runs."""
    row = VerificationRow
    query = (
        select(row.onboarding_id)
        .join(OnboardingRow, col(OnboardingRow.id) == col(row.onboarding_id))
        .where(
            col(row.due_at) <= now,
            or_(col(row.run_until).is_(None), col(row.run_until) <= now),
            col(OnboardingRow.status) == Status.ACTIVE.value,
            is_readable(session),
        )
    )
    return (await session.exec(query.limit(limit))).all()


async def claim(
    session: AsyncSession, onboarding_id: str, number: int, now: datetime, until: datetime
) -> bool:
    """Take a run for this worker until `until`; False if somebody else has it."""
    row = VerificationRow
    result = await session.exec(
        update(row)
        .where(
            col(row.onboarding_id) == onboarding_id,
            col(row.number) == number,
            or_(col(row.run_until).is_(None), col(row.run_until) <= now),
        )
        .values(run_until=until)
    )
    return bool(result.rowcount)


async def prolong(
    session: AsyncSession, onboarding_id: str, number: int, held_until: datetime, until: datetime
) -> bool:
    """Keep a run that is held until `held_until`; False if it is not any more.

    That time is a claim's own: who comes later claims until later.
    """
    where = _held(onboarding_id, number, held_until)
    result = await session.exec(update(VerificationRow).where(*where).values(run_until=until))
    return bool(result.rowcount)


async def release(
    session: AsyncSession, onboarding_id: str, number: int, held_until: datetime
) -> None:
    """Give a run back, so that it can be taken again at once, if it is still held."""
    where = _held(onboarding_id, number, held_until)
    await session.exec(update(VerificationRow).where(*where).values(run_until=None))


def _held(onboarding_id: str, number: int, until: datetime) -> list[ColumnElement[bool]]:
    row = VerificationRow
    return [
        col(row.onboarding_id) == onboarding_id,
        col(row.number) == number,
        col(row.run_until) == until,
    ]
