"""Which onboardings to check for a due reminder, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.statements import execute
from storage.tables import ACTIVE, ONBOARDING, OnboardingRow
from storage.unreadable_rows import is_readable

LOOK_AGAIN = ONBOARDING.update().where(
    ONBOARDING.c.id == bindparam("this_id"), ONBOARDING.c.revision == bindparam("this_revision")
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An onboarding to check, with the revision at which it was found."""

    id: str
    revision: int


async def to_look_over(session: AsyncSession, now: datetime, limit: int) -> Sequence[Waiting]:
    """Return the active onboardings that are due, followed by those that changed."""
    row, at = OnboardingRow, col(OnboardingRow.next_reminder)
    # ACTIVE is spelled as in the index, and each part is its own query, so that both use only the
    # index, however many onboardings are not due yet.
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
    """Check an onboarding again at `at`, unless it has changed since `revision`.

    Also writes the client's `timezone` if it is given. Neither shows in Slack, so the revision
    stays the same.
    """
    this = {"this_id": onboarding_id, "this_revision": revision}
    zone = {"timezone": timezone} if timezone else {}
    await execute(session, LOOK_AGAIN, {**this, **zone, "next_reminder": at})
