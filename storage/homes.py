"""The app's Home of each engineer: who has opened it, and what was published there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.guides import GuideStore
from storage.leases import moment
from storage.status import Line, line_of
from storage.tables import RUNNING, HomeRow, OnboardingRow


@dataclass(frozen=True, slots=True)
class Shown:
    """A Home that was opened recently, and the digest of what was published there."""

    user_id: str
    digest: str | None


async def remember(session: AsyncSession, user_id: str, now: datetime) -> None:
    """Note that someone opened their Home."""
    row = await session.get(HomeRow, user_id)
    if row:
        row.opened_at = now
    else:
        session.add(HomeRow(user_id=user_id, opened_at=now))


async def opened_since(session: AsyncSession, since: datetime, limit: int) -> Sequence[Shown]:
    """Return the Homes opened since then, the most recent first."""
    query = select(HomeRow).where(col(HomeRow.opened_at) >= since)
    rows = await session.exec(query.order_by(col(HomeRow.opened_at).desc()).limit(limit))
    return [Shown(row.user_id, row.digest) for row in rows]


async def claim(session: AsyncSession, user_id: str, every: timedelta | None) -> datetime | None:
    """Claim the publishing of a Home; return its time, or None if it was claimed within `every`."""
    row = HomeRow
    where = [col(row.user_id) == user_id]
    if every:
        long_ago = col(row.published_at) <= moment(session, -every)
        where.append(or_(col(row.published_at).is_(None), long_ago))
    values = {"published_at": moment(session)}
    if not (await session.exec(update(row).where(*where).values(**values))).rowcount:
        return None
    return (await session.exec(select(row.published_at).where(col(row.user_id) == user_id))).one()


async def record(session: AsyncSession, user_id: str, claimed: datetime, digest: str) -> bool:
    """Note what was published; False if another worker has claimed it since."""
    row = HomeRow
    where = (col(row.user_id) == user_id, col(row.published_at) == claimed)
    return bool((await session.exec(update(row).where(*where).values(digest=digest))).rowcount)


async def forget_digest(session: AsyncSession, user_id: str) -> None:
    """Make the next publishing of a Home write it in any case."""
    where = col(HomeRow.user_id) == user_id
    await session.exec(update(HomeRow).where(where).values(digest=None))


async def purge(session: AsyncSession, opened_before: datetime) -> None:
    """Delete the Homes that were last opened before then."""
    await session.exec(delete(HomeRow).where(col(HomeRow.opened_at) < opened_before))


async def drop(session: AsyncSession, user_id: str) -> None:
    await session.exec(delete(HomeRow).where(col(HomeRow.user_id) == user_id))


async def board(
    session: AsyncSession, guides: GuideStore, engineer: str, limit: int
) -> tuple[Sequence[Line], int]:
    """Return running onboardings, and how many there are, the engineer's own first.

    Then come those that need attention, then the longest inactive.
    """
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
    query = select(row).where(RUNNING).order_by(*order).limit(limit)
    rows = (await session.exec(query)).all()
    found = [await line_of(session, guides, row) for row in rows]
    if len(found) < limit:
        return found, len(found)
    count = select(func.count()).select_from(row).where(RUNNING)
    return found, (await session.exec(count)).one()
