"""When to look which onboarding over for a nudge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import union_all
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import ACTIVE, OnboardingRow
from storage.unreadable_rows import is_readable


@dataclass(frozen=True, slots=True)
class Waiting:
    """An onboarding that is to be looked over, as it was when that was found out."""

    id: str
    revision: int


async def to_look_over(session: AsyncSession, now: datetime, limit: int) -> Sequence[Waiting]:
    """Return the active onboardings whose time has come, and after them those that changed."""
    row, at = OnboardingRow, col(OnboardingRow.next_reminder)
    # ACTIVE as the index has it, and each part for itself: so both are found by the index alone,
    # however many wait for their time.
    active = select(row.id, row.revision).where(ACTIVE, is_readable(session)).limit(limit)
    come = active.where(at <= now).order_by(at).subquery()
    changed = active.where(at.is_(None)).subquery()
    both = union_all(*(select(one.c.id, one.c.revision) for one in (come, changed))).limit(limit)
    rows = both.subquery()
    return [Waiting(*one) for one in await session.exec(select(rows.c.id, rows.c.revision))]


async def look_again(
    session: AsyncSession,
    onboarding_id: str,
    revision: int,
    at: datetime,
    timezone: str | None = None,
) -> None:
    """Leave an onboarding alone until `at`, unless it has changed since `revision`.

    The client's `timezone` is written with it, where it was found; Slack shows nothing of both, so
    the revision stays.
    """
    row = OnboardingRow
    where = (col(row.id) == onboarding_id, col(row.revision) == revision)
    values = {"next_reminder": at, **({"timezone": timezone} if timezone else {})}
    await session.exec(update(row).where(*where).values(**values))
