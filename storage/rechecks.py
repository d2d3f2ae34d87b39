"""The rounds of `check all`, and which clients they check."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import col, func, select, update

from storage.session import Session
from storage.statements import apply
from storage.tables import LIVE, CheckRoundRow, OnboardingRow, VerificationRow
from storage.unreadable_rows import is_readable

# As many parameters as fit one query on any database.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Round:
    """A round of `check all`, started by an engineer. The first `position` clients were asked."""

    id: str
    by_user: str
    by_team: str
    started_at: datetime
    clients: Sequence[str]
    position: int
    next_at: datetime


async def live_ids(session: Session) -> Sequence[str]:
    """Return the live clients whose credentials are kept, by name."""
    row, run = OnboardingRow, VerificationRow
    verified = select(run.number).where(col(run.onboarding_id) == col(row.id)).exists()
    query = select(row.id).where(LIVE, col(row.missing_values) == 0, verified, is_readable(session))
    return (await session.exec(query.order_by(col(row.client_key), col(row.id)))).all()


async def start_round(session: Session, one: Round) -> None:
    """Start a round; the transaction ends with Conflict if another is running."""
    session.add(CheckRoundRow(running=True, **asdict(one)))


async def running_round(session: Session) -> Round | None:
    query = select(CheckRoundRow).where(col(CheckRoundRow.running).is_(True))
    row = (await session.exec(query)).first()
    return _round(row) if row else None


async def get_round(session: Session, round_id: str) -> Round | None:
    row = await session.get(CheckRoundRow, round_id, populate_existing=True)
    return _round(row) if row else None


async def advance(session: Session, one: Round, position: int, next_at: datetime) -> None:
    """Note that clients were asked, unless another worker has noted it."""
    row = CheckRoundRow
    where = (col(row.id) == one.id, col(row.position) == one.position)
    await session.exec(update(row).where(*where).values(position=position, next_at=next_at))


async def checked(session: Session, one: Round) -> int:
    """Return how many clients of a round have been asked and have a result."""
    asked, waiting = one.clients[: one.position], 0
    row, of = VerificationRow, OnboardingRow
    for start in range(0, len(asked), CHUNK):
        query = (
            select(func.count())
            .select_from(row)
            .join(of, col(of.id) == col(row.onboarding_id))
            .where(LIVE, col(row.report).is_(None), col(of.id).in_(asked[start : start + CHUNK]))
        )
        waiting += (await session.exec(query)).one()
    return len(asked) - waiting


async def claim_progress(session: Session, round_id: str, count: int) -> bool:
    """Claim to show that this many are checked; False if Slack shows that already."""
    row = CheckRoundRow
    where = (col(row.id) == round_id, col(row.shown) < count)
    return await apply(session, update(row).where(*where).values(shown=count))


async def end_round(session: Session, round_id: str) -> None:
    where = col(CheckRoundRow.id) == round_id
    await session.exec(update(CheckRoundRow).where(where).values(running=None))


def _round(row: CheckRoundRow) -> Round:
    return Round(**row.model_dump(exclude={"running", "shown"}))
