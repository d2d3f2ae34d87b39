"""Compares the rows of each onboarding with their sealed digests."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from storage.audit.sealed_state import CLIENT, PARTS, STEP, VALUE, SealedState, digests
from storage.audit.seals import Seals
from storage.session import Session
from storage.tables import CredentialRow, OnboardingRow, StepRow

ROWS_PER_PAGE = 200
STORED = ("id", "history_end", "sealed_state")
RowsById = dict[str, list[Any]]


async def altered(session: Session) -> AsyncIterator[tuple[str, str, str]]:
    """Yield each mismatch: the onboarding's id, its client, and what was altered."""
    seals = session.database.seals
    columns = (getattr(OnboardingRow, name) for name in (*STORED, *CLIENT))
    query = select(*columns).order_by(col(OnboardingRow.id)).limit(ROWS_PER_PAGE)
    connection, last = await session.connection(), ""
    while page := (await connection.execute(query.where(col(OnboardingRow.id) > last))).all():
        last = page[-1].id
        ids = [row.id for row in page]
        steps = await _rows_of(session, StepRow, STEP, ids)
        values = await _rows_of(session, CredentialRow, VALUE, ids)
        for row in page:
            for text in _problems(seals, row, steps[row.id], values[row.id]):
                yield row.id, row.client_name, text


def _problems(seals: Seals, row: Any, steps: list[Any], values: list[Any]) -> list[str]:
    state = SealedState.read(seals, row.id, row.history_end, row.sealed_state)
    if state.fits is None:
        return []  # verify_history reports the missing key
    if not state.fits:
        return ["its rows don't fit their seal: they were altered, or put back from earlier"]
    made = digests(row._mapping, [one._mapping for one in steps], [one._mapping for one in values])
    return [
        f"{what} was altered"
        for part, what in PARTS.items()
        if state.digests.get(part) != made[part]
    ]


async def _rows_of(
    session: Session, table: Any, names: tuple[str, ...], ids: list[str]
) -> RowsById:
    query = select(table.onboarding_id, *(getattr(table, name) for name in names))
    found: RowsById = defaultdict(list)
    connection = await session.connection()
    for row in await connection.execute(query.where(table.onboarding_id.in_(ids))):
        found[row.onboarding_id].append(row)
    return found
