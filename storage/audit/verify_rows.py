"""Compares the rows of an onboarding with their sealed digests."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlmodel import col

from storage.audit.sealed_state import CLIENT, PARTS, STEP, VALUE, SealedState, digests
from storage.audit.seals import Seals
from storage.session import Session
from storage.tables import CredentialRow, OnboardingRow, StepRow

ONBOARDINGS_PER_PAGE = 50
STORED = ("id", "history_length", "history_end", "sealed_state")

Rows = Sequence[Row[Any]]


def _columns(table: Any, *names: str) -> Select[Any]:
    return select(*(getattr(table, name) for name in names))


HEADS = _columns(OnboardingRow, *STORED, *CLIENT).order_by(col(OnboardingRow.id))
STEPS = _columns(StepRow, "onboarding_id", *STEP)
VALUES = _columns(CredentialRow, "onboarding_id", *VALUE)


async def pages(session: Session) -> AsyncIterator[Rows]:
    """Yield all onboardings, a page at a time."""
    connection, query = await session.connection(), HEADS.limit(ONBOARDINGS_PER_PAGE)
    page = (await connection.execute(query)).all()
    while page:
        yield page
        later = query.where(col(OnboardingRow.id) > page[-1].id)
        page = (await connection.execute(later)).all()


async def rows_of(
    session: Session, query: Select[Any], table: Any, ids: Collection[str]
) -> defaultdict[str, list[Row[Any]]]:
    """Return the rows of these onboardings in a table, by onboarding."""
    found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    connection = await session.connection()
    for row in await connection.execute(query.where(table.onboarding_id.in_(ids))):
        found[row.onboarding_id].append(row)
    return found


def altered(seals: Seals, head: Row[Any], steps: Rows, values: Rows) -> Sequence[str]:
    """Return a line for each part of an onboarding's rows that doesn't fit its seal."""
    state = SealedState.read(seals, head.id, head.history_end, head.sealed_state)
    if state.fits is None:
        return []  # verify_history reports the missing key
    name = f"onboarding {head.id} ({head.client_name})"
    if not state.fits:
        return [
            f"{name}: its rows don't fit their seal: they were altered, or put back from earlier"
        ]
    made = digests(
        head._asdict(), [one._asdict() for one in steps], [one._asdict() for one in values]
    )
    return [
        f"{name}: {what} was altered"
        for part, what in PARTS.items()
        if state.digests.get(part) != made[part]
    ]
