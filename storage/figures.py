"""Figures about all onboardings, for `GET /metrics`: a few queries, and none reads secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import col, func, select

from storage.column_types import Illegible
from storage.session import Session
from storage.tables import ENDED, RUNNING, UNPUBLISHED, CredentialRow, EventRow, OnboardingRow
from storage.unreadable_rows import is_readable

BATCH = 500


@dataclass(frozen=True, slots=True)
class Running:
    """An onboarding that has not ended."""

    channel: str
    client_key: str
    guide: str
    guide_version: str
    status: str
    current_step: int | None
    active_at: datetime | Illegible
    timezone: str | None
    open_questions: int


async def ended(session: Session) -> Mapping[str, int]:
    """Return how many onboardings have ended, by status."""
    query = select(OnboardingRow.status, func.count()).where(ENDED)
    return dict((await session.exec(query.group_by(OnboardingRow.status))).all())


async def running(session: Session, after: Running | None = None) -> Sequence[Running]:
    """Return the next BATCH of onboardings that have not ended."""
    row = OnboardingRow
    key = (col(row.channel), col(row.client_key))  # unique among running ones, and always readable
    others = (row.guide, row.guide_version, row.status, row.current_step)
    columns = (*key, *others, row.active_at, row.timezone, row.open_questions)
    query = select(*columns).where(RUNNING).order_by(*key).limit(BATCH)  # type: ignore[call-overload]
    if after:
        query = query.where(tuple_(*key) > (after.channel, after.client_key))
    return [Running(*found) for found in await session.exec(query)]


async def credentials_by_key(session: Session) -> Mapping[str, int]:
    """Return how many credentials are stored, by the key that encrypts them."""
    query = select(CredentialRow.key_id, func.count()).group_by(CredentialRow.key_id)
    return dict((await session.exec(query)).all())


async def unpublished_since(session: Session) -> datetime | None:
    """Return the time of the oldest change that Slack doesn't show yet."""
    row = OnboardingRow
    behind = select(row.id).where(UNPUBLISHED, is_readable(session))
    changed = (
        select(func.max(EventRow.at))
        .where(col(EventRow.onboarding_id).in_(behind))
        .group_by(EventRow.onboarding_id)
    )
    found: Sequence[datetime | Illegible] = (await session.exec(changed)).all()
    return min((at for at in found if isinstance(at, datetime)), default=None)
