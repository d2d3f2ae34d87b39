"""Reads the history of an onboarding."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam
from sqlmodel import col, select

from bot.onboarding import Event, EventKind, redacted
from bot.onboarding.people import Actor, Role
from storage.session import Session
from storage.statements import Row, fetch
from storage.tables import EVENT, EventRow
from storage.unreadable_rows import Unknown, known, must_be_legible


def event_of(row: EventRow | Row) -> Event:
    """Return the event of a row; raises Unknown if it cannot be read."""
    must_be_legible(row, EVENT)
    actor = Actor(row.actor_user, row.actor_team, known(Role, row.actor_role))
    if not isinstance(row.detail, dict):
        raise Unknown("event.detail is broken")
    return Event(known(EventKind, row.kind), actor, row.at, row.step, row.detail)


def event_or_unknown(row: EventRow | Row) -> Event | None:
    """Return the event of a row, UNKNOWN if it cannot be read; None if not even its time can."""
    try:
        return event_of(row)
    except Unknown:
        if not isinstance(row.at, datetime):
            return None
        actor = Actor(str(row.actor_user), str(row.actor_team), Role.NOBODY)
        return Event(EventKind.UNKNOWN, actor, row.at, None, {})


async def events_of(session: Session, onboarding_id: str, *kinds: EventKind) -> Sequence[Event]:
    """Return the events of these kinds, or all, oldest first; an unreadable one is UNKNOWN."""
    rows = await fetch(session, _events_of(*kinds), {"this_id": onboarding_id})
    events = redacted([event for row in rows if (event := event_or_unknown(row))])
    return [event for event in events if not kinds or event.kind in kinds]


@cache
def _events_of(*kinds: EventKind) -> Select[Any]:
    query = EVENT.select().where(EVENT.c.onboarding_id == bindparam("this_id"))
    if kinds:
        wanted = {*kinds, EventKind.EXPOSED}  # it determines what is hidden in the others
        query = query.where(EVENT.c.kind.in_([kind.value for kind in wanted]))
    return query.order_by(EVENT.c.id)


async def has_refusal(
    session: Session, onboarding_id: str, event: Event, within: timedelta
) -> bool:
    """Whether there is a refusal like `event` in that time before it."""
    row = EventRow
    query = select(row.detail).where(
        col(row.onboarding_id) == onboarding_id,
        col(row.kind) == EventKind.REFUSED.value,
        col(row.actor_user) == event.actor.user_id,
        col(row.actor_team) == event.actor.team_id,
        col(row.at) > event.at - within,
    )
    return any(detail == event.detail for detail in await session.exec(query))
