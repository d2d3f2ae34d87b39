"""How the history of an onboarding goes on: each new event is sealed with all before it.

The sessions of `Database` bear the seals. Who goes on holds the onboarding's row, so that no two
events follow on the same end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.onboarding import Event
from storage.audit.seals import BEGINNING, Entry, Seals
from storage.audit.state import SealedState
from storage.tables import EventRow, OnboardingRow


@dataclass(frozen=True, slots=True)
class End:
    """Where a history ends: how many events it has, and the seal of all that."""

    length: int = 0
    seal: str = BEGINNING

    @classmethod
    def of(cls, row: OnboardingRow) -> Self:
        """Take the end from an onboarding that is locked."""
        return cls(row.history_length, row.history_end)

    @property
    def columns(self) -> dict[str, Any]:
        """The end as columns of the onboarding."""
        return {"history_length": self.length, "history_end": self.seal}


async def end_of(session: AsyncSession, onboarding_id: str) -> End:
    """Return where a history ends, and keep others from going on until we are done."""
    row = OnboardingRow
    query = select(row.history_length, row.history_end).where(col(row.id) == onboarding_id)
    query = query.with_for_update(key_share=True)  # SQLite's writers wait for each other anyway
    return End(*(await session.exec(query)).one())


async def move_end(session: AsyncSession, onboarding_id: str, end: End, new_end: End) -> None:
    """Write the end of a history that went on, or is sealed with another key, at the same state."""
    where = col(OnboardingRow.id) == onboarding_id
    stored = (await session.exec(select(OnboardingRow.sealed_state).where(where))).one()
    seals: Seals = session.info["seals"]
    sealed = SealedState.of(stored).moved(seals, onboarding_id, end.seal, new_end.seal)
    values = {**new_end.columns, **sealed.columns}
    await session.exec(update(OnboardingRow).where(where).values(**values))


def following(
    session: AsyncSession, onboarding_id: str, end: End, events: Iterable[Event]
) -> tuple[Sequence[EventRow], End]:
    """Return the rows of `events`, sealed one after the other from `end` on, and the new end."""
    seals: Seals = session.info["seals"]
    rows = []
    for event in events:
        row = _row(onboarding_id, end.length + 1, event)
        row.seal = seals.seal(_entry(row), end.seal)
        end = End(row.position, seals.end(onboarding_id, row.position, row.seal))
        rows.append(row)
    if rows:
        session.info["heads"].append((onboarding_id, end.length, end.seal))
    return rows, end


def _row(onboarding_id: str, position: int, event: Event) -> EventRow:
    return EventRow(
        onboarding_id=onboarding_id,
        position=position,
        kind=event.kind.value,
        actor_user=event.actor.user_id,
        actor_team=event.actor.team_id,
        actor_role=event.actor.role.value,
        step=event.step,
        detail=dict(event.detail),
        at=event.at,
        seal="",
    )


def _entry(row: EventRow) -> Entry:
    return Entry(*(getattr(row, name) for name in Entry._fields))
