"""Which onboardings to check for a due reminder, and when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import TextClause, union_all
from sqlmodel import col, select

from storage.onboardings import SAVE_AT_REVISION
from storage.session import Session
from storage.statements import execute
from storage.tables import ACTIVE, OnboardingRow
from storage.unreadable_rows import is_readable


class Waiting(NamedTuple):
    """An onboarding to check, with the revision at which it was found."""

    id: str
    revision: int


async def to_look_over(session: Session, now: datetime, limit: int) -> Sequence[Waiting]:
    """Return the active onboardings that are due, followed by those that changed."""
    return await due_or_unset(session, ACTIVE, OnboardingRow.next_reminder, now, limit)


async def due_or_unset(
    session: Session, where: TextClause, time: Any, now: datetime, limit: int
) -> Sequence[Waiting]:
    """Return the onboardings for which `time` has come, followed by those that have none."""
    # `where` is spelled as in the index on `time`, and each part is its own query, so that both
    # use only the index, however many onboardings are not due yet.
    row, at = OnboardingRow, col(time)
    found = select(row.id, row.revision).where(where, is_readable(session)).limit(limit)
    come = found.where(at <= now).order_by(at).subquery()
    unset = found.where(at.is_(None)).subquery()
    both = union_all(*(select(one.c.id, one.c.revision) for one in (come, unset))).limit(limit)
    rows = both.subquery()
    return [Waiting(*one) for one in await session.exec(select(rows.c.id, rows.c.revision))]


async def look_again(
    session: Session,
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
    await execute(session, SAVE_AT_REVISION, {**this, **zone, "next_reminder": at})
