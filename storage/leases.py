"""Leases in the database: compared by one clock, and known again by a worker that was restarted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Interval, and_, func, literal, not_, or_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.leases import LEASE
from storage.column_types import UtcDateTime
from storage.database import Database
from storage.tables import OnboardingRow, VerificationRow

# A living process prolongs its leases every second. So long without that, and a process that has
# come up in its place takes them over; everybody else waits until they end.
SILENT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that takes leases. Its `name` is the same after a restart, its `id` another.

    A lease's owner is that id, or begins with it.
    """

    name: str
    id: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Tell this process from others of the same name: both may run for a while."""
        object.__setattr__(self, "id", f"{self.name}#{uuid4().hex}")


def moment(session: AsyncSession, after: timedelta = timedelta(0)) -> ColumnElement[Any]:
    """Return the time, or one `after` it, that all workers agree on.

    PostgreSQL has many of them, so it is the server's own; SQLite has one, so it is that one's.
    """
    if session.get_bind().dialect.name == "sqlite":
        return literal(session.info["clock"]() + after, UtcDateTime)
    return func.statement_timestamp(type_=UtcDateTime) + literal(after, Interval)


def is_free(session: AsyncSession, owner: Any, until: Any, worker: Worker) -> ColumnElement[bool]:
    """Whether `worker` may take a lease that somebody else may have had."""
    orphaned = and_(
        owner.startswith(f"{worker.name}#", autoescape=True),
        not_(owner.startswith(worker.id, autoescape=True)),
        until <= moment(session, LEASE - SILENT),
    )
    return or_(until.is_(None), until <= moment(session), orphaned)


async def next_end(session: AsyncSession, worker: Worker) -> timedelta | None:
    """Return how long it is until the next lease of another process ends; None: there is none."""
    thread, run = OnboardingRow, VerificationRow
    now = (await session.exec(select(moment(session)))).one()
    held = [
        *await session.exec(
            select(thread.lease_owner, thread.lease_until).where(
                col(thread.revision) > col(thread.published_revision),
                col(thread.lease_until).is_not(None),
            )
        ),
        *await session.exec(
            select(run.run_owner, run.run_until).where(
                col(run.due_at).is_not(None),
                col(run.run_until).is_not(None),
            )
        ),
    ]
    ends = [
        _end(owner or "", until, worker) - now
        for owner, until in held
        if isinstance(until, datetime) and not (owner or "").startswith(worker.id)
    ]
    return min((end for end in ends if end > timedelta(0)), default=None)


def _end(owner: str, until: datetime, worker: Worker) -> datetime:
    return until - (LEASE - SILENT) if owner.startswith(f"{worker.name}#") else until


async def end_all(session: AsyncSession) -> None:
    """End every lease: there is no other process that could have one."""
    thread, run = OnboardingRow, VerificationRow
    held = update(thread).where(col(thread.lease_until).is_not(None))
    await session.exec(held.values(lease_owner=None, lease_until=None))
    runs = update(run).where(col(run.run_until).is_not(None))
    await session.exec(runs.values(run_owner=None, run_until=None))


async def ahead(database: Database, clock: Callable[[], datetime]) -> timedelta:
    """Return how far `clock` is ahead of the database's; raises Unavailable.

    It is not more exact than the database is fast.
    """
    async with database.begin(write=False) as session:
        before = clock()
        theirs: datetime = (await session.exec(select(moment(session)))).one()
        return before + (clock() - before) / 2 - theirs
