"""Which threads do not show the newest revision of their onboarding, and who publishes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.leases import LEASE
from storage.column_types import Illegible
from storage.leases import Worker, is_free, moment
from storage.tables import UNPUBLISHED, OnboardingRow
from storage.unreadable_rows import is_readable


@dataclass(frozen=True, slots=True)
class Unpublished:
    """An onboarding whose newest revision Slack does not show, and its last activity."""

    id: str
    active_at: datetime


async def unpublished(
    session: AsyncSession, worker: Worker, now: datetime, limit: int
) -> Sequence[Unpublished]:
    """Return unpublished onboardings that are due and that nobody works on, newest change first."""
    row = OnboardingRow
    query = select(row.id, row.active_at).where(
        UNPUBLISHED,
        or_(col(row.publish_after).is_(None), col(row.publish_after) <= now),
        is_free(session, col(row.lease_owner), col(row.lease_until), worker),
        is_readable(session),
    )
    found = await session.exec(query.order_by(col(row.active_at).desc()).limit(limit))
    # A broken time is reported when the onboarding is read.
    return [Unpublished(one, now if isinstance(at, Illegible) else at) for one, at in found]


async def backlog(session: AsyncSession) -> int:
    """Return the number of unpublished onboardings."""
    row = OnboardingRow
    where = (UNPUBLISHED, is_readable(session))
    return (await session.exec(select(func.count()).select_from(row).where(*where))).one()


async def take(session: AsyncSession, onboarding_id: str, worker: Worker) -> bool:
    """Take the lease on a thread; False while another process has it.

    A lease of our own is taken again: a process works on a thread only once at a time.
    """
    row = OnboardingRow
    owner = col(row.lease_owner)
    free = or_(owner == worker.id, is_free(session, owner, col(row.lease_until), worker))
    values = {"lease_owner": worker.id, "lease_until": moment(session, LEASE)}
    where = (col(row.id) == onboarding_id, free)
    return bool((await session.exec(update(row).where(*where).values(**values))).rowcount)


async def prolong(session: AsyncSession, onboarding_id: str, worker: Worker) -> bool:
    """Prolong the lease; False if it is not ours anymore."""
    row = OnboardingRow
    where = (col(row.id) == onboarding_id, col(row.lease_owner) == worker.id)
    values = {"lease_until": moment(session, LEASE)}
    return bool((await session.exec(update(row).where(*where).values(**values))).rowcount)


async def release(
    session: AsyncSession,
    onboarding_id: str,
    worker: Worker,
    *,
    published: int | None = None,
    retry_at: datetime | None = None,
    refused_at: datetime | None = None,
) -> bool:
    """Release the lease; with `published`, only if that is still the newest revision.

    `refused_at`, when Slack refused the thread, is kept until it is published. Returns False if the
    onboarding has changed since; the lease is still held then.
    """
    row = OnboardingRow
    where = [col(row.id) == onboarding_id, col(row.lease_owner) == worker.id]
    values: dict[str, object] = {"lease_owner": None, "lease_until": None}
    if published is not None:
        where.append(col(row.revision) == published)
        values |= {"published_revision": published, "refused_since": None}
    elif refused_at is not None:
        values["refused_since"] = func.coalesce(col(row.refused_since), refused_at)
    values["publish_after"] = retry_at
    result = await session.exec(update(row).where(*where).values(**values))
    return bool(result.rowcount)


async def refused_since(session: AsyncSession, onboarding_id: str) -> datetime | None:
    """Return since when Slack has refused the thread for an unknown reason."""
    return (await session.get_one(OnboardingRow, onboarding_id)).refused_since


async def look_since(session: AsyncSession, onboarding_id: str) -> datetime | None:
    """Return since when Slack may have messages that we do not know of (a restored backup)."""
    return (await session.get_one(OnboardingRow, onboarding_id)).look_since
