"""What Slack shows: leases on threads, the messages posted, the announcements outstanding."""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, literal, or_
from sqlmodel import col, delete, func, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import Stale
from bot.core.leases import LEASE
from bot.onboarding import Event, EventKind, Onboarding
from storage.column_types import Illegible
from storage.from_rows import event_of
from storage.leases import Worker, is_free, moment
from storage.tables import EventRow, MessageRow, OnboardingRow
from storage.unreadable_rows import checked, is_readable, reading

# What is left in Slack of a thread whose first message is gone, by its ts.
LEFTOVER = "leftover:"
PIN_SLOTS = PIN, BOOKMARK = "pin:root", "bookmark:root"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Posted:
    """What is known of a message: with `posting_since` and no `ts`, its post may have arrived."""

    slot: str
    ts: str | None
    digest: str | None
    posting_since: datetime | None


@dataclass(frozen=True, slots=True)
class Announceable:
    """An event of the outbox that the engineering channel has not got yet."""

    id: int
    event: Event
    announcing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Behind:
    """An onboarding whose newest revision Slack does not show, and when somebody acted last."""

    id: str
    active_at: datetime


async def unpublished(
    session: AsyncSession, worker: Worker, now: datetime, limit: int
) -> Sequence[Behind]:
    """Return the onboardings whose newest revision Slack does not show, and nobody is at.

    Those that changed last come first.
    """
    row = OnboardingRow
    query = select(row.id, row.active_at).where(
        col(row.revision) > col(row.published_revision),
        or_(col(row.publish_after).is_(None), col(row.publish_after) <= now),
        is_free(session, col(row.lease_owner), col(row.lease_until), worker),
        is_readable(session),
    )
    found = await session.exec(query.order_by(col(row.active_at).desc()).limit(limit))
    # A time that is none is found out when the onboarding is read.
    return [Behind(one, now if isinstance(at, Illegible) else at) for one, at in found]


async def backlog(session: AsyncSession) -> int:
    """Return of how many onboardings Slack does not show the newest revision."""
    row = OnboardingRow
    behind = (col(row.revision) > col(row.published_revision), is_readable(session))
    return (await session.exec(select(func.count()).select_from(row).where(*behind))).one()


async def take_lease(session: AsyncSession, onboarding_id: str, worker: Worker) -> bool:
    """Take the lease on an onboarding's thread; False while another process has it.

    No process works on the same thread twice at the same time: its own lease was left behind.
    """
    row = OnboardingRow
    owner = col(row.lease_owner)
    free = or_(owner == worker.id, is_free(session, owner, col(row.lease_until), worker))
    values = {"lease_owner": worker.id, "lease_until": moment(session, LEASE)}
    where = (col(row.id) == onboarding_id, free)
    return bool((await session.exec(update(row).where(*where).values(**values))).rowcount)


async def hold_lease(session: AsyncSession, onboarding_id: str, worker: Worker) -> bool:
    """Prolong the lease; False if it is not ours any more."""
    row = OnboardingRow
    where = (col(row.id) == onboarding_id, col(row.lease_owner) == worker.id)
    values = {"lease_until": moment(session, LEASE)}
    return bool((await session.exec(update(row).where(*where).values(**values))).rowcount)


async def release_lease(
    session: AsyncSession,
    onboarding_id: str,
    worker: Worker,
    *,
    published: int | None = None,
    retry_at: datetime | None = None,
    refused_at: datetime | None = None,
) -> bool:
    """Give the lease back; with `published`, only if that is still the newest revision.

    `refused_at` is when Slack refused the thread, which is kept until it is published. False says
    that the onboarding has changed meanwhile, and the lease is still held.
    """
    row = OnboardingRow
    where = [col(row.id) == onboarding_id, col(row.lease_owner) == worker.id]
    values: dict[str, object] = {"lease_owner": None, "lease_until": None}
    if published is not None:
        where.append(col(row.revision) == published)
        values |= {"published_revision": published, "refused_since": None}
    elif refused_at is not None:
        values["refused_since"] = func.coalesce(col(row.refused_since), refused_at)
    values["publish_after"] = retry_at
    result = await session.exec(update(row).where(*where).values(**values))
    return bool(result.rowcount)


async def messages(session: AsyncSession, onboarding_id: str) -> Mapping[str, Posted]:
    """Return what was posted, by slot."""
    query = select(MessageRow).where(col(MessageRow.onboarding_id) == onboarding_id)
    with reading(session, onboarding_id):
        return {row.slot: _posted(checked(row)) for row in await session.exec(query)}


async def message(session: AsyncSession, onboarding_id: str, slot: str) -> Posted | None:
    """Return what is known of one message."""
    row = await session.get(MessageRow, (onboarding_id, slot))
    return _posted(row) if row else None


async def claim_message(
    session: AsyncSession, onboarding_id: str, slot: str, known: Posted | None, patience: timedelta
) -> bool:
    """Write down that this is about to be done, as only one may; False, or Conflict: another is.

    `known` is what was read before; nobody has changed it since then, or begun with it within
    `patience`.
    """
    row = MessageRow
    now = moment(session)
    if known is None:
        columns = {"onboarding_id": onboarding_id, "slot": slot, "posting_since": now}
        await session.exec(insert(row).values(**columns))
        return True
    since = col(row.posting_since)
    unchanged = (
        since.is_(None)
        if known.posting_since is None
        else and_(since == known.posting_since, since <= moment(session, -patience))
    )
    where = (
        col(row.onboarding_id) == onboarding_id,
        col(row.slot) == slot,
        col(row.ts).is_(None),
        unchanged,
    )
    return bool((await session.exec(update(row).where(*where).values(posting_since=now))).rowcount)


def _posted(row: MessageRow) -> Posted:
    return Posted(row.slot, row.ts, row.digest, row.posting_since)


async def refused_since(session: AsyncSession, onboarding_id: str) -> datetime | None:
    """Return since when Slack refuses the thread for a reason that we do not know."""
    return (await session.get_one(OnboardingRow, onboarding_id)).refused_since


async def look_since(session: AsyncSession, onboarding_id: str) -> datetime | None:
    """Return from when on messages may stand in Slack that we do not know of."""
    return (await session.get_one(OnboardingRow, onboarding_id)).look_since


async def write_down(
    session: AsyncSession, onboarding_id: str, news: Collection[Posted], known: Container[str]
) -> None:
    """Write down what was learned of messages; those of the `known` slots have rows already."""
    old: list[dict[str, object]] = []
    new: list[dict[str, object]] = []
    for one in news:
        columns = {"onboarding_id": onboarding_id, **asdict(one)}
        (old if one.slot in known else new).append(columns)
    if old:
        await session.exec(update(MessageRow), params=old)
    if new:
        await session.exec(insert(MessageRow), params=new)


async def record_thread(session: AsyncSession, onboarding_id: str, thread_ts: str | None) -> None:
    """Write down where the thread of an onboarding is."""
    row = OnboardingRow
    await session.exec(update(row).where(col(row.id) == onboarding_id).values(thread_ts=thread_ts))


async def forget_thread(session: AsyncSession, onboarding: Onboarding) -> None:
    """Write down that an onboarding has no thread any more."""
    await record_thread(session, onboarding.id, None)


async def set_aside(session: AsyncSession, onboarding_id: str) -> None:
    """Keep of a thread that is gone only what is left of it in Slack, as `leftover:` slots."""
    row = MessageRow
    of_it = (col(row.onboarding_id) == onboarding_id, col(row.slot).not_like(f"{LEFTOVER}%"))
    no_message = or_(col(row.ts).is_(None), col(row.slot) == PIN)
    await session.exec(delete(row).where(*of_it, no_message))
    # The bookmark is still there, but it leads nowhere.
    values: dict[str, object] = {"ts": None, "digest": None, "posting_since": LONG_AGO}
    await session.exec(update(row).where(*of_it, col(row.slot) == BOOKMARK).values(values))
    slot = literal(LEFTOVER).concat(col(row.ts))
    values = {"slot": slot, "digest": None, "posting_since": None}
    options = {"synchronize_session": False}
    await session.exec(
        update(row)
        .where(*of_it, col(row.slot) != BOOKMARK)
        .values(values)
        .execution_options(**options)
    )


async def place_of(session: AsyncSession, channel: str, ts: str) -> tuple[str, str] | None:
    """Return the onboarding and the slot of a message of ours."""
    message, row = MessageRow, OnboardingRow
    query = (
        select(message.onboarding_id, message.slot)
        .join(row, col(row.id) == col(message.onboarding_id))
        .where(col(row.channel) == channel, col(message.ts) == ts)
        .where(col(message.slot).not_like(f"{LEFTOVER}%"), col(message.slot).not_in(PIN_SLOTS))
    )
    return (await session.exec(query)).first()


async def doubt(session: AsyncSession, onboarding_id: str, slot: str) -> None:
    """Forget what a message says, so that it is edited, or found to be deleted."""
    row = MessageRow
    where = (col(row.onboarding_id) == onboarding_id, col(row.slot) == slot)
    await session.exec(update(row).where(*where).values(digest=None))


async def unannounced(
    session: AsyncSession, onboarding_id: str, kinds: Sequence[EventKind]
) -> Sequence[Announceable]:
    """Return the events of these kinds that were not announced yet, oldest first."""
    query = select(EventRow).where(
        col(EventRow.onboarding_id) == onboarding_id,
        col(EventRow.announced_ts).is_(None),
        col(EventRow.kind).in_([kind.value for kind in kinds]),
    )
    rows = await session.exec(query.order_by(col(EventRow.id)))
    with reading(session, onboarding_id):
        return [
            Announceable(row.id, event_of(row), row.announcing_since)
            for row in rows
            if row.id is not None
        ]


async def unannouncing(
    session: AsyncSession, kinds: Sequence[EventKind], now: datetime, limit: int
) -> Sequence[str]:
    """Return the onboardings with events of these kinds that were not announced yet."""
    event, row = EventRow, OnboardingRow
    query = (
        select(row.id)
        .join(event, col(event.onboarding_id) == col(row.id))
        .where(
            col(event.announced_ts).is_(None),
            col(event.kind).in_([kind.value for kind in kinds]),
            or_(col(row.publish_after).is_(None), col(row.publish_after) <= now),
            is_readable(session),
        )
        .distinct()
    )
    return (await session.exec(query.order_by(col(row.id)).limit(limit))).all()


async def are_unannounced(session: AsyncSession, kinds: Sequence[EventKind]) -> bool:
    """Whether any event of these kinds was not announced yet, be it due or not."""
    row = EventRow
    where = (col(row.announced_ts).is_(None), col(row.kind).in_([kind.value for kind in kinds]))
    return (await session.exec(select(row.id).where(*where).limit(1))).first() is not None


async def is_announced(session: AsyncSession, event_id: int) -> bool:
    """Whether an event was announced."""
    return (await session.get_one(EventRow, event_id)).announced_ts is not None


async def claim_announcement(session: AsyncSession, event_id: int, since: datetime | None) -> None:
    """Write down that an announcement may be in the channel since then; None: it is not."""
    row = EventRow
    where = (col(row.id) == event_id, col(row.announced_ts).is_(None))
    result = await session.exec(update(row).where(*where).values(announcing_since=since))
    if not result.rowcount:
        raise Stale


async def record_announcement(session: AsyncSession, event_id: int, ts: str) -> None:
    """Write down that an announcement stands in the engineering channel."""
    row = EventRow
    await session.exec(update(row).where(col(row.id) == event_id).values(announced_ts=ts))


async def announcement_thread(session: AsyncSession, onboarding_id: str) -> str | None:
    """Return the client's thread in the engineering channel."""
    query = select(OnboardingRow.announcement_ts).where(col(OnboardingRow.id) == onboarding_id)
    return (await session.exec(query)).one()


async def record_announcement_thread(session: AsyncSession, onboarding_id: str, ts: str) -> None:
    """Write down which announcement the later ones stand under."""
    row = OnboardingRow
    where = col(row.id) == onboarding_id
    await session.exec(update(row).where(where).values(announcement_ts=ts))
