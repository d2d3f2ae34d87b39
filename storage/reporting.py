"""Reads the onboardings that a report is about.

Replaying a history takes half a millisecond, so its summary is stored until the history grows.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Row, TextClause, and_, text
from sqlmodel import col, or_, select

from bot.core.errors import Unavailable, UnreadableRow
from bot.core.typed_text import one_line
from bot.onboarding import Event, EventKind, Status
from bot.onboarding.people import Actor, Role
from bot.onboarding.reporting import Case, Summary, summary_of
from bot.onboarding.reporting.summary import COUNTED, VERSION
from storage.database import Database
from storage.session import Session
from storage.statements import execute
from storage.tables import ENDED, RUNNING, EventRow, OnboardingRow, SummaryRow
from storage.unreadable_rows import Unknown, known, reading

T = TypeVar("T")

# Onboardings per transaction, read in a few milliseconds: other tasks run in between.
BATCH, REPLAYED = 100, 5

STORE = text("""
    INSERT INTO summary (onboarding_id, history_length, version, figures)
    VALUES (:id, :length, :version, :figures)
    ON CONFLICT (onboarding_id) DO UPDATE SET
        history_length = excluded.history_length,
        version = excluded.version,
        figures = excluded.figures
""")


async def cases(database: Database, since: datetime | None, now: datetime) -> Sequence[Case]:
    """Return the onboardings that are running, or that ended since then (None: all).

    Those that can't be read are left out, and logged.
    """
    found: list[Case] = []
    async with database.begin(write=False, background=True) as session:
        ids = await _ids(session, since)
    for some in _parts(ids, BATCH):
        async with database.begin(write=False, background=True) as session:
            rows = await _rows(session, some)
        summaries: dict[str, Summary] = {}
        for row in rows:
            with suppress(ValidationError):  # none, or another release's: it is made again
                summaries[row.id] = Summary.model_validate_json(row.figures or "")
        made = await _replay(database, [row for row in rows if row.id not in summaries])
        if made:
            with suppress(Unavailable):  # the next report makes them again
                async with database.begin(background=True) as session:
                    await _store(session, made)
        summaries |= {row.id: summary for row, summary in made}
        async with database.begin(write=False, background=True) as session:
            for row in rows:
                if summary := summaries.get(row.id):
                    found += await _case(session, row, summary, now)
    return found


def _parts(of: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (of[start : start + size] for start in range(0, len(of), size))


async def _ids(session: Session, since: datetime | None) -> Sequence[str]:
    row = OnboardingRow
    ended: list[ColumnElement[bool] | TextClause] = [ENDED]
    if since is not None:
        at = col(row.finished_at)
        ended.append(or_(at >= since, at.is_(None)))  # None: of a status that we don't know
    # Two queries, each of which uses only an index.
    return [
        *await session.exec(select(row.id).where(RUNNING)),
        *await session.exec(select(row.id).where(*ended)),
    ]


async def _rows(session: Session, ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Return what a case needs of these onboardings; `figures` are None if they aren't current."""
    row, summary = OnboardingRow, SummaryRow
    columns = (row.id, row.client_name, row.engineer, row.guide, row.guide_version, row.status)
    is_current = and_(
        col(summary.onboarding_id) == row.id,
        col(summary.history_length) == row.history_length,
        col(summary.version) == VERSION,
    )
    query = select(*columns, row.history_length, summary.figures)  # type: ignore[call-overload]
    query = query.join(summary, is_current, isouter=True).where(col(row.id).in_(ids))
    found: Sequence[Row[Any]] = (await session.exec(query)).all()
    return found


async def _case(session: Session, row: Row[Any], summary: Summary, now: datetime) -> Sequence[Case]:
    """Return the case of a row, or nothing if it can't be read."""
    try:
        with reading(session, row.id, row.client_name):
            guide = await session.database.guides.get(session, row.guide, row.guide_version)
            name, status = one_line(row.client_name), known(Status, row.status)
            return [Case(row.id, name, row.engineer, guide, status, summary.up_to(now))]
    except UnreadableRow:
        return []


async def _replay(
    database: Database, rows: Sequence[Row[Any]]
) -> Sequence[tuple[Row[Any], Summary]]:
    """Return the summaries of these onboardings, made from their histories."""
    made = []
    for some in _parts(rows, REPLAYED):
        async with database.begin(write=False, background=True) as session:
            histories = await _events(session, [row.id for row in some])
            for row in some:
                await asyncio.sleep(0)
                with suppress(UnreadableRow), reading(session, row.id, row.client_name):
                    guide = await session.database.guides.get(session, row.guide, row.guide_version)
                    if not histories[row.id]:
                        raise Unknown("its history is empty")
                    made.append((row, summary_of(guide, map(_event, histories[row.id]))))
    return made


async def _store(session: Session, made: Sequence[tuple[Row[Any], Summary]]) -> None:
    values = [
        {
            "id": row.id,
            "length": row.history_length,
            "version": VERSION,
            "figures": summary.model_dump_json(),
        }
        for row, summary in made
    ]
    await execute(session, STORE, *values)


async def _events(session: Session, ids: Sequence[str]) -> defaultdict[str, list[Row[Any]]]:
    row = EventRow
    actor = (row.actor_user, row.actor_team, row.actor_role)
    columns = (row.onboarding_id, row.kind, *actor, row.step, row.detail, row.at)
    query = select(*columns).where(  # type: ignore[call-overload]
        col(row.onboarding_id).in_(ids), col(row.kind).in_([kind.value for kind in COUNTED])
    )
    events: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for event in await session.exec(query.order_by(row.onboarding_id, row.id)):
        events[event.onboarding_id].append(event)
    return events


def _event(row: Row[Any]) -> Event:
    """Return the event of a row; raises Unknown if it can't be read."""
    if not isinstance(row.at, datetime) or not isinstance(row.detail, dict):
        raise Unknown("its history is broken")
    actor = Actor(row.actor_user, row.actor_team, known(Role, row.actor_role))
    return Event(known(EventKind, row.kind), actor, row.at, row.step, row.detail)
