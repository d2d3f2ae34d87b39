"""Reads the onboardings that a report is about."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import UnreadableRow
from bot.core.typed_text import one_line
from bot.onboarding import Event, Status
from bot.onboarding.reporting import Case, case_of
from bot.onboarding.reporting.case import COUNTED
from storage.database import Database
from storage.from_events import event_of
from storage.guides import GuideStore
from storage.tables import RUNNING, EventRow, OnboardingRow
from storage.unreadable_rows import Unknown, known, reading

# Onboardings a transaction: others get their turn in between.
BATCH = 25


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
                try:
                    found.append(await _case(session, guides, row, events[row.id], now))
                except UnreadableRow:
                    continue
        if len(rows) < BATCH:
            return found
        last = rows[-1].id


async def _batch(
    session: AsyncSession, after: str, since: datetime | None
) -> Sequence[OnboardingRow]:
    row = OnboardingRow
    query = select(row).where(col(row.id) > after).order_by(col(row.id)).limit(BATCH)
    if since is not None:
        query = query.where(
            or_(RUNNING, col(row.started_at) >= since, col(row.finished_at) >= since)
        )
    return (await session.exec(query)).all()


async def _events(session: AsyncSession, ids: Sequence[str]) -> defaultdict[str, list[EventRow]]:
    row = EventRow
    query = select(row).where(
        col(row.onboarding_id).in_(ids), col(row.kind).in_([kind.value for kind in COUNTED])
    )
    events: defaultdict[str, list[EventRow]] = defaultdict(list)
    for event in await session.exec(query.order_by(col(row.onboarding_id), col(row.id))):
        events[event.onboarding_id].append(event)
    return events


async def _case(
    session: AsyncSession,
    guides: GuideStore,
    row: OnboardingRow,
    events: Sequence[EventRow],
    now: datetime,
) -> Case:
    with reading(session, row.id, row.client_name):
        guide = await guides.get(session, row.guide, row.guide_version)
        told: list[Event] = [event_of(event) for event in events]
        if not told:
            raise Unknown("its history is empty")
        name, status = one_line(row.client_name), known(Status, row.status)
        return case_of(row.id, name, row.engineer, guide, status, told, now)
