"""The app's Home of each engineer: who has opened it, and what was published there."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_
from sqlmodel import col, delete, select, update

from bot.onboarding import EventKind, Question
from bot.onboarding.effects import questions_after
from storage.event_log import event_or_unknown
from storage.leases import moment
from storage.session import Session
from storage.statements import apply
from storage.status import LINES, Line, lines_of
from storage.tables import ENDED, FAILING, RUNNING, EventRow, HomeRow, OnboardingRow

MOST_FAILING = 20
EVER = datetime.min.replace(tzinfo=UTC)
# The events that determine which questions are open, and what is hidden in them.
QUESTIONS = (
    EventKind.HELP_ASKED,
    EventKind.HELP_ANSWERED,
    EventKind.GUIDE_ANSWERED,
    EventKind.EXPOSED,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A Home that was opened recently, and the digest of what was published there."""

    user_id: str
    digest: str | None
    shows: str = ""


async def remember(session: Session, user_id: str, now: datetime, shows: str | None = None) -> str:
    """Note that someone opened their Home; return the filter they chose, now or earlier."""
    row = await session.get(HomeRow, user_id)
    if row is None:
        session.add(HomeRow(user_id=user_id, opened_at=now, shows=shows or ""))
        return shows or ""
    row.opened_at = now
    row.shows = row.shows if shows is None else shows
    return row.shows


async def opened_since(session: Session, since: datetime, limit: int) -> Sequence[Shown]:
    """Return the Homes opened since then, the most recent first."""
    query = select(HomeRow).where(col(HomeRow.opened_at) >= since)
    rows = await session.exec(query.order_by(col(HomeRow.opened_at).desc()).limit(limit))
    return [Shown(row.user_id, row.digest, row.shows) for row in rows]


async def claim(session: Session, user_id: str, every: timedelta | None) -> datetime | None:
    """Claim the publishing of a Home; return its time, or None if it was claimed within `every`."""
    row = HomeRow
    where = [col(row.user_id) == user_id]
    if every:
        long_ago = col(row.published_at) <= moment(-every)
        where.append(or_(col(row.published_at).is_(None), long_ago))
    if not await apply(session, update(row).where(*where).values(published_at=moment())):
        return None
    return (await session.exec(select(row.published_at).where(col(row.user_id) == user_id))).one()


async def record(session: Session, user_id: str, claimed: datetime, digest: str) -> bool:
    """Note what was published; False if another worker has claimed it since."""
    row = HomeRow
    where = (col(row.user_id) == user_id, col(row.published_at) == claimed)
    return await apply(session, update(row).where(*where).values(digest=digest))


async def forget_digest(session: Session, user_id: str) -> None:
    """Make the next publishing of a Home write it even if it hasn't changed."""
    where = col(HomeRow.user_id) == user_id
    await session.exec(update(HomeRow).where(where).values(digest=None))


async def purge(session: Session, opened_before: datetime) -> None:
    await session.exec(delete(HomeRow).where(col(HomeRow.opened_at) < opened_before))


async def drop(session: Session, user_id: str) -> None:
    await session.exec(delete(HomeRow).where(col(HomeRow.user_id) == user_id))


async def board(
    session: Session, engineer: str, limit: int, shows: str = ""
) -> tuple[Sequence[Line], int]:
    """Return running onboardings, and how many there are, the engineer's own first.

    Then come those that need attention, then the longest inactive. With `mine` as `shows`, only
    the engineer's own; with `finished`, the latest to end. Failing live clients come first.
    """
    live: Sequence[Line] = ()
    if shows != "finished":
        failing = LINES.where(FAILING).order_by(col(OnboardingRow.active_at)).limit(MOST_FAILING)
        if shows:
            failing = failing.where(col(OnboardingRow.engineer) == engineer)
        live = await lines_of(session, failing)
    found, count = await _board(session, engineer, limit, shows)
    return [*live, *found], len(live) + count


async def _board(
    session: Session, engineer: str, limit: int, shows: str
) -> tuple[Sequence[Line], int]:
    row = OnboardingRow
    urgent = or_(
        col(row.exposed_values) > 0,
        col(row.open_questions) > 0,
        col(row.verification) == "failed",
        col(row.loss).is_not(None),
    )
    order = (
        (col(row.engineer) == engineer).desc(),
        func.coalesce(urgent, False).desc(),
        col(row.active_at),
        col(row.id),
    )
    # All are later than EVER: with that, SQLite uses the index with all of the order's columns.
    which: Any = and_(RUNNING, col(row.active_at) > EVER)
    if shows == "mine":
        which = and_(which, col(row.engineer) == engineer)
    first = select(row.id).where(which).order_by(*order).limit(limit)
    if shows == "finished":
        which = and_(ENDED, col(row.finished_at).is_not(None))
        first = select(row.id).where(which).order_by(col(row.finished_at).desc()).limit(limit)
    ids = (await session.exec(first)).all()  # only the ids, as whole rows are slow to sort
    await asyncio.sleep(0)  # others get their turn
    lines = {one.id: one for one in await lines_of(session, LINES.where(col(row.id).in_(ids)))}
    found = [lines[one] for one in ids if one in lines]
    if len(found) < limit:
        return found, len(found)
    count = select(func.count()).select_from(row).where(which)
    return found, (await session.exec(count)).one()


async def open_questions(
    session: Session, onboarding_ids: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """Return the texts of the questions that wait for an engineer, the newest first."""
    row, kinds = EventRow, [kind.value for kind in QUESTIONS]
    query = select(row).where(col(row.onboarding_id).in_(onboarding_ids), col(row.kind).in_(kinds))
    questions: dict[str, tuple[Question, ...]] = defaultdict(tuple)
    for one in await session.exec(query.order_by(col(row.id))):
        if event := event_or_unknown(one):
            asked = questions[one.onboarding_id]
            questions[one.onboarding_id] = questions_after(asked, event)
    return {
        onboarding_id: [question.text for question in reversed(asked) if question.open]
        for onboarding_id, asked in questions.items()
    }
