"""Signs histories again with the first key, after CREDENTIAL_KEYS was rotated."""

from collections.abc import Sequence

from sqlalchemy import bindparam
from sqlmodel import col, select, update

from storage.audit.seals import End
from storage.audit.verify_history import EVENTS, HistoryVerifier, missing_key
from storage.history import lock_end, move_end
from storage.session import Session
from storage.tables import EventRow

UPDATE_SEAL = (
    update(EventRow).where(col(EventRow.id) == bindparam("row")).values(seal=bindparam("new_seal"))
)


class BrokenHistory(Exception):
    """A history that does not fit its seals, or whose key is missing; a line for each reason."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


async def outdated(session: Session) -> Sequence[str]:
    """Return the onboardings with an event that wasn't signed with the first key."""
    seals = session.database.seals
    signed_again = col(EventRow.seal).startswith(seals.prefix)
    query = select(EventRow.onboarding_id).where(~signed_again).distinct()
    return (await session.exec(query.order_by(col(EventRow.onboarding_id)))).all()


async def reseal(session: Session, onboarding_id: str) -> None:
    """Sign one history with the first key.

    Raises BrokenHistory, which rolls the transaction back, if it doesn't match its seals.
    """
    seals = session.database.seals
    before = await lock_end(session, onboarding_id)
    verifier, after = HistoryVerifier(seals, onboarding_id, "left as it is"), End()
    connection, new_seals = await session.connection(), []
    query = EVENTS.where(col(EventRow.onboarding_id) == onboarding_id)
    for event in (await connection.execute(query)).all():
        entry = verifier.next(event)
        if verifier.problems or verifier.missing:
            break
        seal = seals.seal(entry, after.seal)
        after = End(entry.position, seals.end(onboarding_id, entry.position, seal))
        new_seals.append({"row": event.id, "new_seal": seal})
    else:
        verifier.finish(before)
    lines = [missing_key(key, count) for key, count in verifier.missing.items()]
    if verifier.problems or lines:
        raise BrokenHistory([*verifier.problems, *lines])
    await connection.execute(UPDATE_SEAL, new_seals)
    await move_end(session, onboarding_id, before, after)
