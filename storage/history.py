"""Appends events to an onboarding's history, each sealed together with everything before it.

The onboarding's row must be locked while doing so: two events must not follow the same end.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from sqlmodel import col, select, update

from bot.onboarding import Event, Onboarding
from bot.onboarding.events import NEVER_ANNOUNCED
from storage.audit.head_log import log_head
from storage.audit.sealed_state import SealedState, digests_of
from storage.audit.seals import End, Entry
from storage.session import Session
from storage.statements import Row, execute
from storage.tables import EVENT, OnboardingRow

ADD_EVENTS = EVENT.insert()
# The rows of new events, and the columns of the onboarding that change with them.
Appended = tuple[list[dict[str, Any]], dict[str, Any]]


def start(session: Session, onboarding: Onboarding, events: Iterable[Event]) -> Appended:
    """Begin the history of a new onboarding."""
    rows, end = _sealed(session, onboarding.id, End(), events)
    state = SealedState(digests=digests_of(onboarding))
    return rows, state.columns(session.database.seals, onboarding.id, end)


def append(
    session: Session,
    row: Row,
    before: Onboarding,
    after: Onboarding,
    events: Iterable[Event],
) -> Appended:
    """Append the events of a change to the history of a locked onboarding."""
    seals, end = session.database.seals, End(row.history_length, row.history_end)
    rows, new_end = _sealed(session, row.id, end, events)
    state = SealedState.read(seals, row.id, end.seal, row.sealed_state).changed(before, after)
    return rows, state.columns(seals, row.id, new_end)


async def record(session: Session, onboarding_id: str, event: Event) -> None:
    """Add an event that changes nothing, such as a refusal."""
    end = await lock_end(session, onboarding_id)
    rows, new_end = _sealed(session, onboarding_id, end, [event])
    await execute(session, ADD_EVENTS, *rows)
    await move_end(session, onboarding_id, end, new_end)


async def lock_end(session: Session, onboarding_id: str) -> End:
    """Return the end of a history, locked until the transaction ends."""
    row = OnboardingRow
    query = select(row.history_length, row.history_end).where(col(row.id) == onboarding_id)
    query = query.with_for_update(key_share=True)  # SQLite's writers wait for each other anyway
    return End(*(await session.exec(query)).one())


async def move_end(session: Session, onboarding_id: str, end: End, new_end: End) -> None:
    """Write a new end of a history whose onboarding's state stays the same."""
    where = col(OnboardingRow.id) == onboarding_id
    stored = (await session.exec(select(OnboardingRow.sealed_state).where(where))).one()
    seals = session.database.seals
    state = SealedState.read(seals, onboarding_id, end.seal, stored)
    values = state.columns(seals, onboarding_id, new_end)
    await session.exec(update(OnboardingRow).where(where).values(**values))


def _sealed(
    session: Session, onboarding_id: str, end: End, events: Iterable[Event]
) -> tuple[list[dict[str, Any]], End]:
    """Return the rows of `events`, sealed one after the other from `end` on, and the new end."""
    seals = session.database.seals
    rows = []
    for event in events:
        actor, position = event.actor, end.length + 1
        entry = Entry(
            onboarding_id=onboarding_id,
            position=position,
            kind=event.kind.value,
            actor_user=actor.user_id,
            actor_team=actor.team_id,
            actor_role=actor.role.value,
            step=event.step,
            detail=dict(event.detail),
            at=event.at,
        )
        seal = seals.seal(entry, end.seal)
        end = End(position, seals.end(onboarding_id, position, seal))
        is_news = not event.quiet and event.kind not in NEVER_ANNOUNCED
        rows.append({**entry._asdict(), "seal": seal, "announced_ts": None if is_news else ""})
    if rows:
        session.on_commit.append(partial(log_head, onboarding_id, end.length, end.seal))
    return rows, end
