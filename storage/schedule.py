"""Which onboardings to look at: for a due reminder, or to check a live client again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import TextClause, union_all
from sqlmodel import col, select

from storage.onboardings import SAVE_AT_REVISION
from storage.session import Session
from storage.statements import execute
from storage.tables import ACTIVE, LIVE, OnboardingRow
from storage.unreadable_rows import is_readable


class Waiting(NamedTuple):
    """An onboarding to look at, with the revision at which it was found."""

    id: str
    revision: int


async def for_reminders(session: Session, now: datetime, limit: int) -> Sequence[Waiting]:
    """Return the active onboardings that are due, followed by those that changed."""
    return await _due_or_unset(session, ACTIVE, OnboardingRow.next_reminder, now, limit)


async def for_checks(session: Session, now: datetime, limit: int) -> Sequence[Waiting]:
    """Return the live onboardings that are due, followed by those without a time yet."""
    return await _due_or_unset(session, LIVE, OnboardingRow.next_check, now, limit)


async def _due_or_unset(
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


async def look_again(session: Session, waiting: Waiting, **columns: Any) -> None:
    """Write when to look at an onboarding again, unless it has changed since it was found.

    What is written doesn't show in Slack, so the revision stays the same.
    """
    this = {"this_id": waiting.id, "this_revision": waiting.revision}
    await execute(session, SAVE_AT_REVISION, {**this, **columns})
