"""Leases in the database, compared by one clock; a restarted worker recognizes its own."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Float, and_, literal, not_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col, select, update

from bot.core.leases import LEASE
from storage.column_types import UtcDateTime
from storage.database import Database
from storage.session import Session
from storage.tables import UNPUBLISHED, OnboardingRow, VerificationRow

# A live process prolongs its leases every second. Once it has been silent for this long, a process
# started in its place takes them over; every other process waits until they end.
SILENT = timedelta(seconds=2)


class Worker:
    """A process that takes leases. A restart keeps its `name` and changes its `id`.

    A lease's owner is the id, or starts with it.
    """

    def __init__(self, name: str) -> None:
        # Processes of the same name may overlap for a while.
        self.name, self.id = name, f"{name}#{uuid4().hex}"


class moment(FunctionElement[datetime]):  # noqa: N801  # a function of SQL
    """The current time, or one `after` it, by a clock that all workers share.

    On PostgreSQL it's the server's clock; on SQLite, which has only one worker, this process's.
    """

    name = "moment"
    type = UtcDateTime()
    inherit_cache = True

    def __init__(self, after: timedelta = timedelta(0)) -> None:
        super().__init__(literal(after.total_seconds(), Float))


@compiles(moment, "sqlite")
def _on_sqlite(element: moment, compiler: SQLCompiler, **how: Any) -> str:
    return f"moment({compiler.process(element.clauses, **how)})"  # see sqlite.py


@compiles(moment, "postgresql")
def _on_postgresql(element: moment, compiler: SQLCompiler, **how: Any) -> str:
    seconds = compiler.process(element.clauses, **how)
    return f"(statement_timestamp() + make_interval(secs => {seconds}))"


def is_free(owner: Any, until: Any, worker: Worker) -> ColumnElement[bool]:
    """Whether `worker` may take a lease: it has ended, or its owner was replaced by `worker`."""
    orphaned = and_(
        owner.startswith(f"{worker.name}#", autoescape=True),
        not_(owner.startswith(worker.id, autoescape=True)),
        until <= moment(LEASE - SILENT),
    )
    return or_(until.is_(None), until <= moment(), orphaned)


async def next_end(session: Session, worker: Worker) -> timedelta | None:
    """Return the time until the next lease of another process ends; None if there is none."""
    thread, run = OnboardingRow, VerificationRow
    now = (await session.exec(select(moment()))).one()
    held = [
        *await session.exec(
            select(thread.lease_owner, thread.lease_until).where(
                UNPUBLISHED, col(thread.lease_until).is_not(None)
            )
        ),
        *await session.exec(
            select(run.run_owner, run.run_until).where(
                col(run.due_at).is_not(None), col(run.run_until).is_not(None)
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


async def end_all(session: Session) -> None:
    """End every lease; call it only if no other process runs."""
    thread, run = OnboardingRow, VerificationRow
    held = update(thread).where(col(thread.lease_until).is_not(None))
    await session.exec(held.values(lease_owner=None, lease_until=None))
    runs = update(run).where(col(run.due_at).is_not(None), col(run.run_until).is_not(None))
    await session.exec(runs.values(run_owner=None, run_until=None))


async def ahead(database: Database, clock: Callable[[], datetime]) -> timedelta:
    """Return how far `clock` is ahead of the database's; raises Unavailable.

    The slower the query, the less exact the result.
    """
    async with database.begin(write=False) as session:
        before = clock()
        theirs: datetime = (await session.exec(select(moment()))).one()
        return before + (clock() - before) / 2 - theirs
