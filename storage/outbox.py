"""The outbox: events of the history that have to be announced in the engineering channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, or_
from sqlmodel import col, select, update

from bot.core.errors import Stale
from bot.onboarding import Event, EventKind
from storage.event_log import event_of
from storage.session import Session
from storage.statements import apply, fetch
from storage.tables import EVENT, UNANNOUNCED, EventRow, OnboardingRow
from storage.unreadable_rows import is_readable, reading

UNANNOUNCED_OF = (
    EVENT.select().where(EVENT.c.onboarding_id == bindparam("id"), UNANNOUNCED).order_by(EVENT.c.id)
)


@dataclass(frozen=True, slots=True)
class Announceable:
    """An event to announce. With `announcing_since`, its post may have arrived."""

    id: int
    event: Event
    announcing_since: datetime | None


async def unannounced(
    session: Session, onboarding_id: str, kinds: Sequence[EventKind]
) -> Sequence[Announceable]:
    """Return an onboarding's events of these kinds that are not announced yet, oldest first."""
    rows = await fetch(session, UNANNOUNCED_OF, {"id": onboarding_id})
    wanted = {kind.value for kind in kinds}
    with reading(session, onboarding_id):
        return [
            Announceable(row.id, event_of(row), row.announcing_since)
            for row in rows
            if row.kind in wanted
        ]


async def announced(
    session: Session, onboarding_id: str, kind: EventKind
) -> Sequence[tuple[int, Event, str]]:
    """Return the events of a kind that were announced: their ids, and the messages."""
    query = select(EventRow).where(
        col(EventRow.onboarding_id) == onboarding_id,
        col(EventRow.kind) == kind.value,
        col(EventRow.announced_ts) != "",
    )
    rows = await session.exec(query.order_by(col(EventRow.id)))
    with reading(session, onboarding_id):
        return [(row.id or 0, event_of(row), row.announced_ts or "") for row in rows]


async def due(
    session: Session, kinds: Sequence[EventKind], now: datetime, limit: int
) -> Sequence[str]:
    """Return the onboardings that are due and have unannounced events of these kinds."""
    row = OnboardingRow
    waiting = select(EventRow.onboarding_id).where(_unannounced(kinds))
    query = select(row.id).where(
        col(row.id).in_(waiting),
        or_(col(row.publish_after).is_(None), col(row.publish_after) <= now),
        is_readable(session),
    )
    return (await session.exec(query.order_by(col(row.id)).limit(limit))).all()


async def has_unannounced(session: Session, kinds: Sequence[EventKind]) -> bool:
    """Whether any event of these kinds is unannounced, due or not."""
    query = select(EventRow.id).where(_unannounced(kinds)).limit(1)
    return (await session.exec(query)).first() is not None


def _unannounced(kinds: Sequence[EventKind]) -> ColumnElement[bool]:
    return and_(UNANNOUNCED, col(EventRow.kind).in_([kind.value for kind in kinds]))


async def is_announced(session: Session, event_id: int) -> bool:
    return (await session.get_one(EventRow, event_id)).announced_ts is not None


async def claim(session: Session, event_id: int, since: datetime | None) -> None:
    """Note since when an announcement may be in the channel; None undoes that.

    Raises Stale if it was announced meanwhile.
    """
    row = EventRow
    where = (col(row.id) == event_id, col(row.announced_ts).is_(None))
    if not await apply(session, update(row).where(*where).values(announcing_since=since)):
        raise Stale


async def record(session: Session, event_id: int, ts: str) -> None:
    row = EventRow
    await session.exec(update(row).where(col(row.id) == event_id).values(announced_ts=ts))


async def thread(session: Session, onboarding_id: str) -> str | None:
    """Return the client's thread in the engineering channel."""
    query = select(OnboardingRow.announcement_ts).where(col(OnboardingRow.id) == onboarding_id)
    return (await session.exec(query)).one()


async def record_thread(session: Session, onboarding_id: str, ts: str) -> None:
    """Note which announcement the later ones reply to."""
    row = OnboardingRow
    where = col(row.id) == onboarding_id
    await session.exec(update(row).where(where).values(announcement_ts=ts))
