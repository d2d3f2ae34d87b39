"""The overview for `status` and the app's Home: one line per onboarding, from one query."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from bot.core.errors import UnreadableRow
from bot.core.typed_text import one_line
from bot.guide import Guide, Owner
from bot.onboarding import Loss, Overview, Status, Unread
from bot.onboarding.verification_report import Outcome
from storage.database import Database
from storage.session import Session
from storage.tables import ONBOARDING, RUNNING, OnboardingRow
from storage.to_rows import name_patterns
from storage.unreadable_rows import Unknown, known, must_be_legible, reading

MAX_PER_CHANNEL = 20
MOST_READ, BATCH = 500, 50

Line = Overview | Unread

# The columns of a line: reading whole rows takes twice as long.
PLAIN = (
    *("id", "channel", "thread_ts", "engineer", "current_step", "finished_steps", "turn_at"),
    *("started_at", "active_at", "missing_values", "exposed_values", "open_questions"),
    *("checked_at", "timezone", "covers_for", "phase_at"),
)
NAMES = (
    *PLAIN,
    *("guide", "guide_version", "client_name", "status", "turn", "verification", "loss"),
)
LINES = sa.select(*(ONBOARDING.c[name] for name in NAMES))


async def overview_in(session: Session, channel: str) -> Sequence[Line]:
    """Return the running onboardings of a channel, or else its newest one, if any."""
    row, finished = OnboardingRow, (Status.COMPLETED.value, Status.CANCELLED.value)
    query = LINES.where(col(row.channel) == channel).order_by(col(row.started_at).desc())
    running = query.where(col(row.status).not_in(finished))  # unknown ones count as running
    if found := await lines_of(session, running.limit(MAX_PER_CHANNEL)):
        return found
    return await lines_of(session, query.limit(1))


async def overview(
    session: Session,
    *,
    name: str = "",
    finished: bool = False,
    engineer: str = "",
    offset: int = 0,
    limit: int,
) -> Sequence[Line]:
    """Return a page of onboardings, the longest inactive first.

    `name` is part of the client's name. Finished onboardings are included only with `finished`.
    """
    row, query = OnboardingRow, LINES
    if not finished:
        query = query.where(RUNNING)  # literal SQL, so that the partial index is used
    if engineer:
        query = query.where(col(row.engineer) == engineer)
    page = query.order_by(col(row.active_at), col(row.id)).offset(offset).limit(limit)
    for pattern in name_patterns(name) if name else [None]:
        of_name = page.where(col(row.client_key).like(pattern, escape="/")) if pattern else page
        if found := await lines_of(session, of_name):
            return found
    return []


async def running(database: Database) -> AsyncIterator[Sequence[Line]]:
    """Yield the onboardings in progress, the longest inactive first, up to MOST_READ of them.

    They come in batches, each its own transaction, so that other tasks run in between.
    """
    for offset in range(0, MOST_READ, BATCH):
        async with database.begin(write=False) as session:
            lines = await overview(session, offset=offset, limit=BATCH)
        yield lines
        if len(lines) < BATCH:
            return
        await asyncio.sleep(0)


async def lines_of(session: Session, query: sa.Select[Any]) -> Sequence[Line]:
    """Return the onboardings that a query made from LINES finds."""
    rows = (await (await session.connection()).execute(query)).all()
    return [await _line(session, row) for row in rows]


async def _line(session: Session, row: sa.Row[Any]) -> Line:
    try:
        with reading(session, row.id, row.client_name):
            guide = await session.database.guides.get(session, row.guide, row.guide_version)
            must_be_legible(row, ONBOARDING, NAMES)
            return _overview(row, guide)
    except UnreadableRow as error:
        return Unread(error.onboarding_id, error.client_name, error.reason)


def _overview(row: sa.Row[Any], guide: Guide) -> Overview:
    if row.current_step is not None and row.current_step not in {s.number for s in guide.steps}:
        raise Unknown(f"it doesn't fit its guide, {guide.id} {guide.version}")
    if row.verification not in (None, "running"):
        known(Outcome, row.verification)
    return Overview(
        guide=guide,
        client_name=one_line(row.client_name),
        status=known(Status, row.status),
        turn=known(Owner, row.turn) if row.turn else None,
        verification=row.verification,
        loss=known(Loss, row.loss) if row.loss else None,
        **{name: getattr(row, name) for name in PLAIN},
    )
