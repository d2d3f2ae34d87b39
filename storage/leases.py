"""Leases in the database, compared by one clock; a restarted worker recognizes its own."""

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
from storage.tables import UNPUBLISHED, OnboardingRow, VerificationRow

# A live process prolongs its leases every second. After this long without that, a process that was
# started in its place takes them over; every other process waits until they end.
SILENT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that takes leases. A restart keeps its `name` and changes its `id`.

    A lease's owner is the id, or starts with it.
    """

    name: str
    id: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        # Processes of the same name may overlap for a while.
        object.__setattr__(self, "id", f"{self.name}#{uuid4().hex}")


def moment(session: AsyncSession, after: timedelta = timedelta(0)) -> ColumnElement[Any]:
    """Return the current time, or one `after` it, by a clock that all workers share.

    That is PostgreSQL's own, and on SQLite, which has only one worker, this process's.
    """
    if session.get_bind().dialect.name == "sqlite":
        return literal(session.info["clock"]() + after, UtcDateTime)
    return func.statement_timestamp(type_=UtcDateTime) + literal(after, Interval)


def is_free(session: AsyncSession, owner: Any, until: Any, worker: Worker) -> ColumnElement[bool]:
    """Whether `worker` may take a lease: it has ended, or its owner was replaced by `worker`."""
    orphaned = and_(
        owner.startswith(f"{worker.name}#", autoescape=True),
        not_(owner.startswith(worker.id, autoescape=True)),
        until <= moment(session, LEASE - SILENT),
    )
    return or_(until.is_(None), until <= moment(session), orphaned)


async def next_end(session: AsyncSession, worker: Worker) -> timedelta | None:
    """Return the time until the next lease of another process ends; None if there is none."""
    thread, run = OnboardingRow, VerificationRow
    now = (await session.exec(select(moment(session)))).one()
    held = [
        *await session.exec(
            select(thread.lease_owner, thread.lease_until).where(
                UNPUBLISHED,
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
    """End every lease; call it only if no other process runs."""
    thread, run = OnboardingRow, VerificationRow
    held = update(thread).where(col(thread.lease_until).is_not(None))
    await session.exec(held.values(lease_owner=None, lease_until=None))
    runs = update(run).where(col(run.due_at).is_not(None), col(run.run_until).is_not(None))
    await session.exec(runs.values(run_owner=None, run_until=None))


async def ahead(database: Database, clock: Callable[[], datetime]) -> timedelta:
    """Return how far `clock` is ahead of the database's; raises Unavailable.

    It is only as exact as the query is fast.
    """
    async with database.begin(write=False) as session:
        before = clock()
        theirs: datetime = (await session.exec(select(moment(session)))).one()
        return before + (clock() - before) / 2 - theirs
