"""Reads and writes onboardings: rows on one side, the pure `Onboarding` on the other."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, or_
from sqlmodel import col, insert, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.core.errors import NotFound, Stale, UnreadableRow
from bot.onboarding import Change, Loss, Onboarding, Status, Verification
from storage import history
from storage.from_rows import load, must_be_readable
from storage.posted_messages import LEFTOVER
from storage.session import Session
from storage.statements import execute, fetch
from storage.tables import (
    ONBOARDING,
    RUNNING,
    STEP,
    VERIFICATION,
    CredentialRow,
    MessageRow,
    OnboardingRow,
    StepRow,
)
from storage.to_rows import (
    client_key,
    columns,
    name_patterns,
    step_columns,
    verification_columns,
)
from storage.unreadable_rows import is_readable

MAX_FOUND = 20  # as many as fit in one reply

READ = ONBOARDING.select().where(ONBOARDING.c.id == bindparam("id"))
LOCKED = READ.with_for_update(key_share=True)  # rows that refer to it can still be inserted
SAVE_AT_REVISION = ONBOARDING.update().where(
    ONBOARDING.c.id == bindparam("this_id"), ONBOARDING.c.revision == bindparam("this_revision")
)
SAVE_STEP = STEP.update().where(
    STEP.c.onboarding_id == bindparam("this_id"), STEP.c.number == bindparam("this_number")
)

ADD_VERIFICATION = VERIFICATION.insert()
SAVE_VERIFICATION = VERIFICATION.update().where(
    VERIFICATION.c.onboarding_id == bindparam("this_id"),
    VERIFICATION.c.number == bindparam("this_number"),
)


async def get(session: Session, onboarding_id: str, *, lock: bool = False) -> Onboarding:
    """Return an onboarding; raises NotFound.

    With `lock`, others who want to change it wait until the transaction ends (on PostgreSQL; on
    SQLite, every writing transaction holds that lock anyway).
    """
    rows = await fetch(session, LOCKED if lock else READ, {"id": onboarding_id})
    if not rows:
        raise NotFound("This onboarding does not exist (any more).")
    session.rows[onboarding_id] = rows[0]
    return await load(session, rows[0])


async def running_in(session: Session, channel: str) -> Sequence[Onboarding]:
    """Return the running onboardings of a channel, the most recently active first.

    Unreadable ones are left out; raises UnreadableRow if that leaves none.
    """
    query = select(OnboardingRow).where(RUNNING, col(OnboardingRow.channel) == channel)
    query = query.order_by(col(OnboardingRow.active_at).desc())
    return await _readable(session, (await session.exec(query)).all())


async def named(
    session: Session,
    name: str,
    *,
    channel: str | None = None,
    finished: bool = False,
) -> Sequence[Onboarding]:
    """Return the onboardings whose client's name contains `name`, the most recent first.

    Exact matches take precedence over all others. Unreadable ones are left out; raises
    UnreadableRow if that leaves none.
    """
    row, key = OnboardingRow, client_key(name)
    query = select(row).order_by(col(row.active_at).desc()).limit(MAX_FOUND)
    if not finished:
        query = query.where(RUNNING)
    if channel:
        query = query.where(col(row.channel) == channel)
    for pattern in name_patterns(name):
        like = col(row.client_key).like(pattern, escape="/")
        if found := (await session.exec(query.where(like))).all():
            exact = [match for match in found if match.client_key == key]
            return await _readable(session, exact or found)
    return []


async def of_engineer(session: Session, engineer: str, limit: int) -> Sequence[Onboarding]:
    """Return the running onboardings of an engineer, the longest inactive first.

    Includes those that someone covers for them.
    """
    row = OnboardingRow
    theirs = or_(col(row.engineer) == engineer, col(row.covers_for) == engineer)
    query = select(row).where(RUNNING, theirs)
    query = query.order_by(col(row.active_at), col(row.id)).limit(limit)
    return await _readable(session, (await session.exec(query)).all())


async def newest_in(session: Session, channel: str) -> Onboarding | None:
    """Return the onboarding of a channel that started last, finished or not."""
    query = select(OnboardingRow).where(col(OnboardingRow.channel) == channel)
    return await _first(session, query.order_by(col(OnboardingRow.started_at).desc()))


async def of_announcements(session: Session, thread_ts: str) -> Onboarding | None:
    """Return the onboarding whose thread in the engineering channel this is."""
    query = select(OnboardingRow).where(col(OnboardingRow.announcement_ts) == thread_ts)
    return await _first(session, query)


async def of_thread(session: Session, channel: str, thread_ts: str) -> Onboarding | None:
    """Return the onboarding of a thread, even if the thread's first message was deleted."""
    row, message = OnboardingRow, MessageRow
    leftover = select(message.slot).where(
        col(message.onboarding_id) == row.id, col(message.slot) == f"{LEFTOVER}{thread_ts}"
    )
    is_its = or_(col(row.thread_ts) == thread_ts, leftover.exists())
    return await _first(session, select(row).where(col(row.channel) == channel, is_its))


async def _first(session: Session, query: SelectOfScalar[OnboardingRow]) -> Onboarding | None:
    row = (await session.exec(query.limit(1))).first()
    return await load(session, row) if row else None


async def _readable(session: Session, rows: Sequence[OnboardingRow]) -> Sequence[Onboarding]:
    found: list[Onboarding] = []
    errors: list[UnreadableRow] = []
    for row in rows:
        try:
            found.append(await load(session, row))
        except UnreadableRow as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    return found


async def can_be_read(session: Session, onboarding_id: str) -> bool:
    """Whether all of an onboarding can be read; updates what is known of unreadable ones."""
    row = await session.get(OnboardingRow, onboarding_id, populate_existing=True)
    try:
        if row:
            await must_be_readable(session, row)
    except UnreadableRow:
        return False
    session.database.unreadable.discard(onboarding_id)
    return True


async def add(session: Session, change: Change) -> None:
    """Write a new onboarding and its first events."""
    onboarding = change.onboarding
    events, history_columns = history.start(session, onboarding, change.events)
    row = {
        "id": onboarding.id,
        "guide": onboarding.guide.id,
        "guide_version": onboarding.guide.version,
        "client_name": onboarding.client_name,
        "client_key": client_key(onboarding.client_name),
        "started_at": onboarding.started_at,
        **history_columns,
        **columns(onboarding),
    }
    await session.exec(insert(OnboardingRow).values(**row))
    steps = [step_columns(onboarding.id, step) for step in onboarding.steps]
    await session.exec(insert(StepRow), params=steps)
    await execute(session, history.ADD_EVENTS, *events)
    session.on_commit.append(partial(session.database.cache.put, onboarding))


async def save(session: Session, before: Onboarding, change: Change) -> Onboarding:
    """Write a change of an onboarding that this transaction has locked; return the result.

    Raises Stale if someone else wrote it since it was read.
    """
    row = session.rows.pop(before.id, None)
    if row is None:
        (row,) = await fetch(session, LOCKED, {"id": before.id})
    after = replace(change.onboarding, revision=before.revision + 1)
    events, history_columns = history.append(session, row, before, after, change.events)
    now = {**columns(after), **history_columns, "revision": after.revision}
    changed = {name: value for name, value in now.items() if getattr(row, name) != value}
    where = {"this_id": before.id, "this_revision": before.revision}
    if row.revision != before.revision or not await execute(
        session, SAVE_AT_REVISION, changed | where
    ):
        raise Stale
    known = set(before.steps)
    if steps := [step_columns(after.id, step) for step in after.steps if step not in known]:
        this = [{"this_id": after.id, "this_number": step["number"], **step} for step in steps]
        await execute(session, SAVE_STEP, *this)
    runs = {run.number: run for run in before.verifications}
    for run in after.verifications:
        if run != (was := runs.get(run.number)):
            await _save_verification(session, after.id, was, run)
    await execute(session, history.ADD_EVENTS, *events)
    session.on_commit.append(partial(session.database.cache.put, after))
    return after


async def _save_verification(
    session: Session, onboarding_id: str, was: Verification | None, run: Verification
) -> None:
    values = verification_columns(run)
    if was is None:
        new = {"onboarding_id": onboarding_id, "number": run.number, **values}
        await execute(session, ADD_VERIFICATION, new)
        return
    if was.identity != run.identity:
        values |= {"run_owner": None, "run_until": None}  # its worker has another run now
    this = {"this_id": onboarding_id, "this_number": run.number}
    await execute(session, SAVE_VERIFICATION, this | values)


async def ids_in(session: Session, channel: str) -> Sequence[str]:
    """Return all onboardings of a channel, finished ones too."""
    query = select(OnboardingRow.id).where(col(OnboardingRow.channel) == channel)
    return (await session.exec(query)).all()


async def ids_after(session: Session, after: str, limit: int) -> Sequence[str]:
    """Return the next onboardings after one, in order of their ids."""
    row = OnboardingRow
    query = select(row.id).where(col(row.id) > after).order_by(col(row.id)).limit(limit)
    return (await session.exec(query)).all()


async def ids_paused_for(session: Session, losses: Iterable[Loss]) -> Sequence[str]:
    """Return the onboardings paused because their channel was lost in one of these ways."""
    row = OnboardingRow
    where = (
        col(row.status) == Status.PAUSED.value,
        col(row.loss).in_([loss.value for loss in losses]),
    )
    return (await session.exec(select(row.id).where(*where))).all()


async def running_ids(session: Session) -> Sequence[str]:
    return (await session.exec(select(OnboardingRow.id).where(RUNNING))).all()


async def to_destroy(session: Session, finished_before: datetime, limit: int) -> Sequence[str]:
    """Return onboardings that finished before then and whose values are still stored."""
    row = OnboardingRow
    where = (col(row.destroyed_at).is_(None), col(row.finished_at) <= finished_before)
    query = select(row.id).where(*where, is_readable(session))
    query = query.order_by(col(row.finished_at)).limit(limit)
    return (await session.exec(query)).all()


async def unused(
    session: Session, active_before: datetime, now: datetime, limit: int
) -> Sequence[str]:
    """Return running onboardings with values, inactive since then, that are due for retention."""
    row = OnboardingRow
    query = select(row.id).where(
        RUNNING,
        col(row.active_at) <= active_before,
        or_(col(row.retention_at).is_(None), col(row.retention_at) <= now),
        select(CredentialRow.field).where(col(CredentialRow.onboarding_id) == row.id).exists(),
        is_readable(session),
    )
    return (await session.exec(query.order_by(col(row.active_at)).limit(limit))).all()
