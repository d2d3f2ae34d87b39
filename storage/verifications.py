"""Which verifications are due, and who runs them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.onboarding import Status
from storage.tables import OnboardingRow, VerificationRow


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


async def release(session: AsyncSession, onboarding_id: str, number: int) -> None:
    """Give a run back, so that it can be taken again at once."""
    row = VerificationRow
    where = (col(row.onboarding_id) == onboarding_id, col(row.number) == number)
    await session.exec(update(row).where(*where).values(run_until=None))
