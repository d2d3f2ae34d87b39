"""Reads the onboardings that a report is about."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import UnreadableRow
from bot.core.typed_text import one_line
from bot.onboarding import Event, EventKind, Status
from bot.onboarding.people import Actor, Role
from bot.onboarding.reporting import Case, case_of
from bot.onboarding.reporting.case import COUNTED
from storage.database import Database
from storage.guides import GuideStore
from storage.tables import RUNNING, EventRow, OnboardingRow
from storage.unreadable_rows import Unknown, known, reading

# Onboardings a transaction, read in a few milliseconds: others get their turn in between.
BATCH = 5


async def cases(
    database: Database, guides: GuideStore, since: datetime | None, now: datetime
) -> Sequence[Case]:
    """Return the onboardings that run, or that started or ended since then (None: all).

    Those that can't be read are left out, and logged.
    """
    found: list[Case] = []
    last = ""
    while True:
        async with database.begin(write=False, background=True) as session:
            rows = await _batch(session, last, since)
            events = await _events(session, [row.id for row in rows])
            for row in rows:
                await asyncio.sleep(0)
                try:
                    found.append(await _case(session, guides, row, events[row.id], now))
                except UnreadableRow:
                    continue
        if len(rows) < BATCH:
            return found
        last = rows[-1].id


async def _batch(session: AsyncSession, after: str, since: datetime | None) -> Sequence[Row[Any]]:
    row = OnboardingRow
    columns = (row.id, row.client_name, row.engineer, row.guide, row.guide_version, row.status)
    query = select(*columns).where(col(row.id) > after)  # type: ignore[call-overload]
    if since is not None:
        query = query.where(
            or_(RUNNING, col(row.started_at) >= since, col(row.finished_at) >= since)
        )
    found: Sequence[Row[Any]] = (await session.exec(query.order_by(row.id).limit(BATCH))).all()
    return found


async def _events(session: AsyncSession, ids: Sequence[str]) -> defaultdict[str, list[Row[Any]]]:
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


async def _case(
    session: AsyncSession,
    guides: GuideStore,
    row: Row[Any],
    events: Sequence[Row[Any]],
    now: datetime,
) -> Case:
    with reading(session, row.id, row.client_name):
        guide = await guides.get(session, row.guide, row.guide_version)
        if not events:
            raise Unknown("its history is empty")
        name, status = one_line(row.client_name), known(Status, row.status)
        return case_of(row.id, name, row.engineer, guide, status, map(_event, events), now)


def _event(row: Row[Any]) -> Event:
    """Return the event of a row; raises Unknown if it can't be read."""
    if not isinstance(row.at, datetime) or not isinstance(row.detail, dict):
        raise Unknown("its history is broken")
    actor = Actor(row.actor_user, row.actor_team, known(Role, row.actor_role))
    return Event(known(EventKind, row.kind), actor, row.at, row.step, row.detail)
