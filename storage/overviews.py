"""What `status` and the app's Home tell: an onboarding a line, from one query."""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.guide import Owner
from bot.onboarding import (
    Loss,
    Overview,
    Status,
)
from storage.rows import client_key
from storage.tables import RUNNING as IS_RUNNING
from storage.tables import OnboardingRow

RUNNING = (Status.ACTIVE.value, Status.PAUSED.value)
MOST = 20  # clients of one channel


async def overview_in(session: AsyncSession, channel: str) -> Sequence[Overview]:
    """Return what runs in `channel`; where nothing does, its newest onboarding, if any."""
    query = select(OnboardingRow).where(col(OnboardingRow.channel) == channel)
    newest = query.order_by(col(OnboardingRow.started_at).desc()).limit(MOST)
    lines = [overview_of(row) for row in await session.exec(newest)]
    return [line for line in lines if line.status.value in RUNNING] or lines[:1]


async def overview(
    session: AsyncSession, *, name: str = "", finished: bool = False, offset: int = 0, limit: int
) -> Sequence[Overview]:
    """Return a page of onboardings, the longest without activity first.

    `name` is a part of the client's name. Only with `finished` are those told of that have ended.
    """
    row = OnboardingRow
    query = select(row)
    if not finished:
        query = query.where(IS_RUNNING)  # written out, so that its partial index is used
    if name:
        query = query.where(col(row.client_key).contains(client_key(name), autoescape=True))
    page = query.order_by(col(row.active_at), col(row.id)).offset(offset).limit(limit)
    return [overview_of(found) for found in await session.exec(page)]


def overview_of(row: OnboardingRow) -> Overview:
    """Return what is said of an onboarding without reading its steps."""
    return Overview(
        id=row.id,
        client_name=row.client_name,
        channel=row.channel,
        thread_ts=row.thread_ts,
        engineer=row.engineer,
        status=Status(row.status),
        current_step=row.current_step,
        finished_steps=row.finished_steps,
        turn=Owner(row.turn) if row.turn else None,
        turn_at=row.turn_at,
        started_at=row.started_at,
        active_at=row.active_at,
        missing_values=row.missing_values,
        exposed_values=row.exposed_values,
        open_questions=row.open_questions,
        verification=row.verification,
        loss=Loss(row.loss) if row.loss else None,
        timezone=row.timezone,
    )
