"""Compares what the rows of each onboarding say with what is sealed of them."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.audit.seals import MissingKey, Seals
from storage.audit.state import CLIENT, PARTS, STEP, VALUE, SealedState, digests
from storage.tables import CredentialRow, OnboardingRow, StepRow

PAGE = 200
Rows = dict[str, list[Any]]


async def altered(session: AsyncSession) -> AsyncIterator[tuple[str, str, str]]:
    """Yield what doesn't fit: the onboarding's id, its client, and what it is."""
    seals: Seals = session.info["seals"]
    last = ""
    while page := await _page(session, last):
        last = page[-1].id
        ids = [row.id for row in page]
        steps = await _of(session, StepRow, STEP, ids)
        values = await _of(session, CredentialRow, VALUE, ids)
        for row in page:
            for text in _problems(seals, row, steps[row.id], values[row.id]):
                yield row.id, row.client_name, text


def _problems(seals: Seals, row: Any, steps: list[Any], values: list[Any]) -> list[str]:
    state = SealedState.of(row.sealed_state)
    try:
        fits = state.fits(seals, row.id, row.history_end)
    except MissingKey:
        return []  # the history says that it is missing
    except (AttributeError, TypeError):
        fits = False
    if not fits:
        return ["its rows don't fit their seal: they were altered, or put back from earlier"]
    made = digests(row._mapping, [one._mapping for one in steps], [one._mapping for one in values])
    return [
        f"{what} was altered"
        for part, what in PARTS.items()
        if state.digests.get(part) != made[part]
    ]


async def _page(session: AsyncSession, after: str) -> Sequence[Any]:
    names = ("id", "history_end", "sealed_state", *CLIENT)
    row = OnboardingRow
    query = select(*(getattr(row, name) for name in names)).where(col(row.id) > after)
    connection = await session.connection()
    return (await connection.execute(query.order_by(col(row.id)).limit(PAGE))).all()


async def _of(session: AsyncSession, row: Any, names: tuple[str, ...], ids: list[str]) -> Rows:
    query = select(row.onboarding_id, *(getattr(row, name) for name in names))
    found: Rows = defaultdict(list)
    connection = await session.connection()
    for one in await connection.execute(query.where(row.onboarding_id.in_(ids))):
        found[one.onboarding_id].append(one)
    return found
