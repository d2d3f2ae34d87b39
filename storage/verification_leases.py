"""Which verifications are due, and which worker runs them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement
from sqlmodel import col, select, update

from bot.onboarding import Status
from storage.leases import Worker, is_free, moment
from storage.session import Session
from storage.statements import apply
from storage.tables import OnboardingRow, VerificationRow


async def due(session: Session, worker: Worker, now: datetime, limit: int) -> Sequence[str]:
    """Return active or completed onboardings with a due run that no worker has taken."""
    row = VerificationRow
    query = (
        select(row.onboarding_id)
        .join(OnboardingRow, col(OnboardingRow.id) == col(row.onboarding_id))
        .where(
            col(row.due_at) <= now,
            is_free(col(row.run_owner), col(row.run_until), worker),
            col(OnboardingRow.status).in_([Status.ACTIVE.value, Status.COMPLETED.value]),
        )
    )
    return (await session.exec(query.limit(limit))).all()


async def claim(
    session: Session, onboarding_id: str, number: int, worker: Worker, lease: timedelta
) -> str | None:
    """Take the lease on a run; return its owner, or None if another worker has it."""
    free = is_free(col(VerificationRow.run_owner), col(VerificationRow.run_until), worker)
    owner = f"{worker.id}/{uuid4().hex}"
    values = {"run_owner": owner, "run_until": moment(lease)}
    return owner if await _written(session, onboarding_id, number, free, values) else None


async def prolong(
    session: Session, onboarding_id: str, number: int, owner: str, lease: timedelta
) -> bool:
    """Prolong the lease on a run; False if another worker has it."""
    ours = col(VerificationRow.run_owner) == owner
    values = {"run_until": moment(lease)}
    return await _written(session, onboarding_id, number, ours, values)


async def release(session: Session, onboarding_id: str, number: int, owner: str) -> None:
    """Release the lease on a run if it is still held, so that it can be taken right away."""
    ours = col(VerificationRow.run_owner) == owner
    await _written(session, onboarding_id, number, ours, {"run_owner": None, "run_until": None})


async def _written(
    session: Session,
    onboarding_id: str,
    number: int,
    condition: ColumnElement[bool],
    values: Mapping[str, Any],
) -> bool:
    row = VerificationRow
    where = (col(row.onboarding_id) == onboarding_id, col(row.number) == number, condition)
    return await apply(session, update(row).where(*where).values(**values))
