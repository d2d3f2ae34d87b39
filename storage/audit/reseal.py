"""Signs histories again with the first key, after CREDENTIAL_KEYS was rotated."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.audit.seals import End, Seals
from storage.audit.verify_history import EVENTS, EVENTS_PER_PAGE, HistoryVerifier, missing_key
from storage.history import lock_end, move_end
from storage.tables import EventRow

UPDATE_SEAL = (
    update(EventRow).where(col(EventRow.id) == bindparam("row")).values(seal=bindparam("new_seal"))
)


class BrokenHistory(Exception):
    """A history that does not fit its seals, or whose key is missing; a line for each reason."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


async def count_outdated(session: AsyncSession) -> int:
    """Return how many histories have an event that wasn't signed with the first key."""
    query = select(func.count(col(EventRow.onboarding_id).distinct()))
    return (await session.exec(query.where(_is_outdated(session)))).one()


async def outdated(session: AsyncSession, after: str, limit: int) -> Sequence[str]:
    """Return the next such histories, by onboarding id, that come after `after`."""
    row = EventRow
    where = (col(row.onboarding_id) > after, _is_outdated(session))
    query = select(row.onboarding_id).where(*where).distinct().order_by(col(row.onboarding_id))
    return (await session.exec(query.limit(limit))).all()


def _is_outdated(session: AsyncSession) -> ColumnElement[bool]:
    seals: Seals = session.info["seals"]
    return ~col(EventRow.seal).startswith(seals.prefix)


async def reseal(session: AsyncSession, onboarding_id: str) -> None:
    """Sign one history with the first key.

    Raises BrokenHistory, which rolls the transaction back, if it doesn't match its seals.
    """
    seals: Seals = session.info["seals"]
    before = await lock_end(session, onboarding_id)
    verifier, after = HistoryVerifier(seals, onboarding_id, "left as it is"), End()
    while page := await _page(session, onboarding_id, after.length):
        new_seals = []
        for row in page:
            entry = verifier.next(row)
            if verifier.problems or verifier.missing:
                break
            seal = seals.seal(entry, after.seal)
            after = End(entry.position, seals.end(onboarding_id, entry.position, seal))
            new_seals.append({"row": row.id, "new_seal": seal})
        _raise_if_broken(verifier)
        await (await session.connection()).execute(UPDATE_SEAL, new_seals)
    verifier.finish(before)
    _raise_if_broken(verifier)
    await move_end(session, onboarding_id, before, after)


def _raise_if_broken(verifier: HistoryVerifier) -> None:
    lines = [missing_key(key, count) for key, count in verifier.missing.items()]
    if verifier.problems or lines:
        raise BrokenHistory([*verifier.problems, *lines])


async def _page(session: AsyncSession, onboarding_id: str, after: int) -> Sequence[Row[Any]]:
    row = EventRow
    query = EVENTS.where(col(row.onboarding_id) == onboarding_id, col(row.position) > after)
    query = query.order_by(col(row.position)).limit(EVENTS_PER_PAGE)
    return list(await (await session.connection()).execute(query))
