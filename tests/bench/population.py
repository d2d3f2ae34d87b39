"""Onboardings made straight in the database, by the state machine or in bulk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.guide import Owner
from bot.guide.loading import SERVICETITAN
from bot.onboarding import Change, Onboarding, Status, start
from bot.onboarding.people import Actor, Role
from bot.onboarding.steps import choose_option, finish_step
from bot.publishing.desired import desired
from bot.publishing.pins import BOOKMARK, DONE, PIN
from sandbox.slack import Channel
from storage import onboardings, posted_messages
from storage.database import Database
from storage.guides import GuideStore
from storage.posted_messages import Posted
from storage.tables import EventRow, OnboardingRow
from storage.to_rows import client_key
from tests.bench.stage import Platforms, engine, seals

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Client:
    """An onboarding, and its channel."""

    id: str
    channel: Channel


async def populate(
    platforms: Platforms, url: str, name: str, count: int, at_step: int
) -> Sequence[Client]:
    """Make `count` onboardings whose current step is `at_step`, each in a channel of its own."""
    guides = GuideStore.from_file(SERVICETITAN)
    people = (platforms.engineer, platforms.admin)
    database = Database(url, seals())
    clients = [
        Client(f"{name}{number:04}", platforms.slack.add_channel(f"{name}-{number}", *people))
        for number in range(count)
    ]
    try:
        async with database.begin() as session:
            await guides.save_newest(session)
            for client in clients:
                await _make(session, guides, platforms, client, at_step)
    finally:
        await database.close()
    return clients


async def _make(
    session: AsyncSession, guides: GuideStore, platforms: Platforms, client: Client, at_step: int
) -> None:
    now = datetime.now(UTC)
    engineer = Actor(platforms.engineer.id, platforms.engineer.team.id, Role.ENGINEER)
    admin = Actor(platforms.admin.id, platforms.admin.team.id, Role.CLIENT_ADMIN)
    begun = start(
        client.id,
        guides.newest,
        client_name=f"Client {client.id}",
        channel=client.channel.id,
        engineer=engineer.user_id,
        client_admins=(),
        actor=engineer,
        now=now,
    )
    await onboardings.add(session, begun)
    onboarding = await onboardings.get(session, guides, client.id, lock=True)
    while (step := onboarding.current) and step.number < at_step:
        change: Change = (
            choose_option(onboarding, 1, "new", admin, now)
            if step.number == 1
            else finish_step(onboarding, step.number, admin, now)
        )
        await onboardings.save(session, onboarding, change)
        onboarding = await onboardings.get(session, guides, client.id, lock=True)
    await _show(session, platforms, client, onboarding)


async def _show(
    session: AsyncSession, platforms: Platforms, client: Client, onboarding: Onboarding
) -> None:
    """Have everything stand in Slack as the bot would have posted it."""
    root_ts, news = None, [Posted(slot, "1.1", DONE, None) for slot in (PIN, BOOKMARK)]
    for message in desired(onboarding, {}):
        shown = platforms.slack.put(
            client.channel, message.text, message.blocks, message.metadata, root_ts
        )
        root_ts = root_ts or shown.ts
        news.append(Posted(message.slot, shown.ts, message.digest, None))
    await posted_messages.save(session, client.id, news, known=())
    await posted_messages.set_thread(session, client.id, root_ts or "")
    row = OnboardingRow
    level = {"published_revision": onboarding.revision}
    await session.exec(update(row).where(col(row.id) == client.id).values(**level))
    event = EventRow
    await session.exec(
        update(event).where(col(event.onboarding_id) == client.id).values(announced_ts="1.1")
    )


def fill_up(url: str, total: int) -> None:
    """Add active onboardings in bulk, whose threads are level, until there are `total`."""
    at = engine(url)
    with at.begin() as connection:
        known = connection.execute(select(func.count()).select_from(OnboardingRow)).scalar_one()
        rows = _rows(known, total)
        while batch := list(islice(rows, BATCH)):
            connection.execute(insert(OnboardingRow), batch)
    with at.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))  # as a server does by itself, in its own time
    at.dispose()


def _rows(first: int, last: int) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC)
    for number in range(first, last):
        at = now - timedelta(minutes=number)
        name = f"Bulk client {number}"
        yield {
            "id": f"bulk{number:07}",
            "guide": "servicetitan",
            "guide_version": "1",
            "client_name": name,
            "client_key": client_key(name),
            "channel": f"CBULK{number:07}",
            "thread_ts": f"{number}.000100",
            "engineer": "U0ERIN",
            "client_admins": [],
            "status": Status.ACTIVE.value,
            "revision": 7,
            "published_revision": 7,
            "current_step": number % 22 + 1,
            "finished_steps": number % 22,
            "turn": Owner.CLIENT.value,
            "turn_at": at,
            "missing_values": 5,
            "exposed_values": 0,
            "open_questions": 0,
            "history_length": 0,
            "history_end": "",
            "sealed_state": {},
            "next_reminder": now + timedelta(days=30),
            "started_at": at - timedelta(days=1),
            "active_at": at,
        }
