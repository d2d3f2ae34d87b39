"""Figures about all onboardings, for `GET /metrics`: a few queries, none of them about secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.column_types import Illegible
from storage.tables import RUNNING, CredentialRow, EventRow, OnboardingRow
from storage.unreadable_rows import is_readable


@dataclass(frozen=True, slots=True)
class Running:
    """An onboarding that has not ended."""

    guide: str
    guide_version: str
    status: str
    current_step: int | None
    active_at: datetime | None
    timezone: str | None
    open_questions: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is: finished onboardings by status, those that run, and credentials by key.

    `unpublished_since` is the time of the oldest change that Slack doesn't show yet.
    """

    finished: Mapping[str, int]
    running: Sequence[Running]
    credentials: Mapping[str, int]
    unpublished_since: datetime | None


async def read(session: AsyncSession) -> Figures:
    """Return the figures of this moment."""
    row = OnboardingRow
    columns = (
        *(row.guide, row.guide_version, row.status, row.current_step, row.active_at),
        *(row.timezone, row.open_questions),
    )
    running = await session.exec(select(*columns).where(RUNNING))  # type: ignore[call-overload]
    ended = col(row.status).not_in(["active", "paused"])
    counted = select(row.status, func.count()).where(ended).group_by(row.status)
    behind = select(row.id).where(
        col(row.revision) > col(row.published_revision), is_readable(session)
    )
    changed = (
        select(func.max(EventRow.at))
        .where(col(EventRow.onboarding_id).in_(behind))
        .group_by(EventRow.onboarding_id)
    )
    found: Sequence[datetime | Illegible] = (await session.exec(changed)).all()
    times = [at for at in found if isinstance(at, datetime)]
    by_key = select(CredentialRow.key_id, func.count()).group_by(CredentialRow.key_id)
    return Figures(
        finished=dict((await session.exec(counted)).all()),
        running=[_running(*one) for one in running],
        credentials=dict((await session.exec(by_key)).all()),
        unpublished_since=min(times, default=None),
    )


def _running(
    guide: str,
    version: str,
    status: str,
    current_step: int | None,
    active_at: datetime | Illegible,
    timezone: str | None,
    open_questions: int,
) -> Running:
    return Running(
        guide,
        version,
        status,
        current_step,
        None if isinstance(active_at, Illegible) else active_at,
        timezone,
        open_questions,
    )
