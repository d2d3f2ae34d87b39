"""Which threads don't show their onboarding's newest revision yet, and who publishes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import bindparam, or_
from sqlmodel import col, func, select

from bot.core.leases import LEASE
from storage.column_types import Illegible, UtcDateTime
from storage.leases import Worker, is_free, moment
from storage.session import Session
from storage.statements import Row, Statement, execute, fetch
from storage.tables import ONBOARDING, UNPUBLISHED, OnboardingRow
from storage.unreadable_rows import is_readable

OURS = (ONBOARDING.c.id == bindparam("this_id"), ONBOARDING.c.lease_owner == bindparam("worker"))
PROLONG = ONBOARDING.update().where(*OURS).values(lease_until=moment(LEASE)).returning(ONBOARDING)
RELEASE = (
    ONBOARDING.update()
    .where(*OURS)
    .values(lease_owner=None, lease_until=None, publish_after=bindparam("retry_at"))
)
PUT_OFF = RELEASE.where(ONBOARDING.c.revision == bindparam("published")).values(refused_since=None)
PUBLISHED = PUT_OFF.values(published_revision=bindparam("published"))
REFUSED = RELEASE.values(
    refused_since=func.coalesce(
        ONBOARDING.c.refused_since, bindparam("refused_at", type_=UtcDateTime)
    )
)


@dataclass(frozen=True, slots=True)
class Unpublished:
    """An onboarding whose newest revision Slack doesn't show yet, and its last activity."""

    id: str
    active_at: datetime


async def unpublished(
    session: Session, worker: Worker, now: datetime, limit: int
) -> Sequence[Unpublished]:
    """Return unpublished onboardings that are due and not leased, the newest change first."""
    row = OnboardingRow
    query = select(row.id, row.active_at).where(
        UNPUBLISHED,
        or_(col(row.publish_after).is_(None), col(row.publish_after) <= now),
        is_free(col(row.lease_owner), col(row.lease_until), worker),
        is_readable(session),
    )
    found = await session.exec(query.order_by(col(row.active_at).desc()).limit(limit))
    # A broken time is reported when the onboarding is read.
    return [Unpublished(one, now if isinstance(at, Illegible) else at) for one, at in found]


async def backlog(session: Session) -> int:
    """Return the number of unpublished onboardings."""
    row = OnboardingRow
    where = (UNPUBLISHED, is_readable(session))
    return (await session.exec(select(func.count()).select_from(row).where(*where))).one()


async def take(session: Session, onboarding_id: str, worker: Worker) -> Row | None:
    """Take the lease on a thread; return its onboarding's row, or None if another process has it.

    A lease of our own is taken again: a process works on a thread only once at a time.
    """
    rows = await fetch(session, _taking(worker), {"this_id": onboarding_id})
    return rows[0] if rows else None


@lru_cache
def _taking(worker: Worker) -> Statement:
    lease = ONBOARDING.c
    free = or_(
        lease.lease_owner == worker.id, is_free(lease.lease_owner, lease.lease_until, worker)
    )
    taken = ONBOARDING.update().where(lease.id == bindparam("this_id"), free)
    values = {"lease_owner": worker.id, "lease_until": moment(LEASE)}
    return taken.values(**values).returning(ONBOARDING)


async def prolong(session: Session, onboarding_id: str, worker: Worker) -> Row | None:
    """Prolong the lease; return the onboarding's row, or None if the lease is not ours anymore."""
    ours = {"this_id": onboarding_id, "worker": worker.id}
    rows = await fetch(session, PROLONG, ours)
    return rows[0] if rows else None


async def release(
    session: Session,
    onboarding_id: str,
    worker: Worker,
    *,
    published: int | None = None,
    retry_at: datetime | None = None,
    refused_at: datetime | None = None,
) -> bool:
    """Release the lease; with `published`, only if that is still the newest revision.

    With `retry_at` as well, it is published except for some edits. `refused_at`, when Slack refused
    the thread, is kept until it is published. Returns False if the onboarding has changed since;
    the lease is still held then.
    """
    ours = {"this_id": onboarding_id, "worker": worker.id, "retry_at": retry_at}
    if published is None:
        return bool(await execute(session, REFUSED, {**ours, "refused_at": refused_at}))
    statement = PUBLISHED if retry_at is None else PUT_OFF
    return bool(await execute(session, statement, {**ours, "published": published}))
