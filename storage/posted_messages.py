"""The messages that were posted for an onboarding, and where its thread is."""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, bindparam, literal, or_
from sqlmodel import col, delete, insert, select, update

from bot.onboarding import Onboarding
from storage.leases import moment
from storage.session import Session
from storage.statements import apply, execute, fetch
from storage.tables import MESSAGE, MessageRow, OnboardingRow
from storage.unreadable_rows import must_be_legible, reading

# The slot of a deleted thread's message that is still in Slack; its ts follows.
LEFTOVER = "leftover:"
PIN_SLOTS = PIN, BOOKMARK = "pin:root", "bookmark:root"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

OF_ONBOARDING = MESSAGE.select().where(MESSAGE.c.onboarding_id == bindparam("id"))
ADD = MESSAGE.insert()
EDIT = MESSAGE.update().where(
    MESSAGE.c.onboarding_id == bindparam("this_id"), MESSAGE.c.slot == bindparam("this_slot")
)


@dataclass(frozen=True, slots=True)
class Posted:
    """What is known about a message. With `posting_since` but no `ts`, it may have been posted."""

    slot: str
    ts: str | None
    digest: str | None
    posting_since: datetime | None


async def by_slot(session: Session, onboarding_id: str) -> Mapping[str, Posted]:
    """Return an onboarding's messages by slot."""
    found: dict[str, Posted] = {}
    with reading(session, onboarding_id):
        for row in await fetch(session, OF_ONBOARDING, {"id": onboarding_id}):
            must_be_legible(row, MESSAGE)
            found[row.slot] = Posted(row.slot, row.ts, row.digest, row.posting_since)
    return found


async def get(session: Session, onboarding_id: str, slot: str) -> Posted | None:
    row = await session.get(MessageRow, (onboarding_id, slot))
    return Posted(row.slot, row.ts, row.digest, row.posting_since) if row else None


async def claim(
    session: Session, onboarding_id: str, slot: str, known: Posted | None, patience: timedelta
) -> bool:
    """Claim the right to post a message; False, or Conflict, if another worker has claimed it.

    `known` is what was read before: the claim fails if the row has changed since, or if someone
    claimed it within `patience`.
    """
    row = MessageRow
    now = moment()
    if known is None:
        columns = {"onboarding_id": onboarding_id, "slot": slot, "posting_since": now}
        await session.exec(insert(row).values(**columns))
        return True
    since = col(row.posting_since)
    unchanged = (
        since.is_(None)
        if known.posting_since is None
        else and_(since == known.posting_since, since <= moment(-patience))
    )
    where = (
        col(row.onboarding_id) == onboarding_id,
        col(row.slot) == slot,
        col(row.ts).is_(None),
        unchanged,
    )
    return await apply(session, update(row).where(*where).values(posting_since=now))


async def save(
    session: Session, onboarding_id: str, messages: Collection[Posted], known: Container[str]
) -> None:
    """Write messages; those of the `known` slots have rows already."""
    old: list[dict[str, object]] = []
    new: list[dict[str, object]] = []
    for one in messages:
        values = {"ts": one.ts, "digest": one.digest, "posting_since": one.posting_since}
        if one.slot in known:
            old.append({"this_id": onboarding_id, "this_slot": one.slot, **values})
        else:
            new.append({"onboarding_id": onboarding_id, "slot": one.slot, **values})
    await execute(session, EDIT, *old)
    await execute(session, ADD, *new)


async def set_thread(session: Session, onboarding_id: str, thread_ts: str | None) -> None:
    row = OnboardingRow
    await session.exec(update(row).where(col(row.id) == onboarding_id).values(thread_ts=thread_ts))


async def forget_thread(session: Session, onboarding: Onboarding) -> None:
    await set_thread(session, onboarding.id, None)


async def keep_leftovers(session: Session, onboarding_id: str) -> None:
    """Turn the messages of a deleted thread that are still in Slack into `leftover:` slots."""
    row = MessageRow
    of_it = (col(row.onboarding_id) == onboarding_id, col(row.slot).not_like(f"{LEFTOVER}%"))
    no_message = or_(col(row.ts).is_(None), col(row.slot) == PIN)
    await session.exec(delete(row).where(*of_it, no_message))
    # The bookmark is still there, but its link is broken.
    values: dict[str, object] = {"ts": None, "digest": None, "posting_since": LONG_AGO}
    await session.exec(update(row).where(*of_it, col(row.slot) == BOOKMARK).values(values))
    slot = literal(LEFTOVER).concat(col(row.ts))
    values = {"slot": slot, "digest": None, "posting_since": None}
    await apply(session, update(row).where(*of_it, col(row.slot) != BOOKMARK).values(values))


async def find(session: Session, channel: str, ts: str) -> tuple[str, str] | None:
    """Return the onboarding and the slot of one of our messages, given its place in Slack."""
    message, row = MessageRow, OnboardingRow
    query = (
        select(message.onboarding_id, message.slot)
        .join(row, col(row.id) == col(message.onboarding_id))
        .where(col(row.channel) == channel, col(message.ts) == ts)
        .where(col(message.slot).not_like(f"{LEFTOVER}%"), col(message.slot).not_in(PIN_SLOTS))
    )
    return (await session.exec(query)).first()


async def forget_digest(session: Session, onboarding_id: str, slot: str) -> None:
    """Forget a message's content, so that it is edited again, or found to be deleted."""
    row = MessageRow
    where = (col(row.onboarding_id) == onboarding_id, col(row.slot) == slot)
    await session.exec(update(row).where(*where).values(digest=None))
