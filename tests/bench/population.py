"""Onboardings brought to a step by the state machine, with their threads already in Slack."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlmodel import col

from bot.guide.loading import SERVICETITAN
from bot.onboarding import Onboarding, start
from bot.onboarding.people import Actor, Role
from bot.onboarding.steps import choose_option, finish_step
from bot.publishing.desired import desired
from bot.publishing.pins import BOOKMARK, DONE, PIN
from sandbox.slack import Channel, Message, Person
from sandbox.slack.messages import new_message
from storage import onboardings, posted_messages
from storage.database import Database
from storage.guides import GuideStore
from storage.posted_messages import Posted
from storage.session import Session
from storage.tables import EventRow, OnboardingRow
from tests.bench.stage import Platforms, seals


@dataclass(frozen=True, slots=True)
class Client:
    """An onboarding, its channel, and the client's admin."""

    id: str
    channel: Channel
    admin: Person


async def populate(
    platforms: Platforms,
    url: str,
    name: str,
    count: int,
    at_step: int,
    *,
    ago: timedelta = timedelta(),
    own_admins: bool = False,
) -> Sequence[Client]:
    """Make `count` onboardings whose current step is `at_step`, each in a channel of its own.

    They got there some time `ago`. The admin of all of them is the platforms' own, unless each has
    one.
    """
    at = datetime.fromtimestamp(platforms.slack.clock(), UTC) - ago
    database = Database(url, seals(), GuideStore(SERVICETITAN))
    clients = [
        _client(platforms, f"{name}-{number}", own_admin=own_admins) for number in range(count)
    ]
    try:
        async with database.begin() as session:
            await database.guides.save_newest(session)
            for client in clients:
                onboarding = await _walked(session, platforms, client, at_step, at)
                await _show(session, platforms, client, onboarding)
    finally:
        await database.close()
    return clients


def _client(platforms: Platforms, name: str, *, own_admin: bool) -> Client:
    slack, admin = platforms.slack, platforms.admin
    if own_admin:
        admin = slack.add_person(f"Admin {name}", slack.add_team(f"Client {name}"))
    return Client(name, slack.add_channel(name, platforms.engineer, admin), admin)


async def _walked(
    session: Session,
    platforms: Platforms,
    client: Client,
    at_step: int,
    now: datetime,
) -> Onboarding:
    engineer = Actor(platforms.engineer.id, platforms.engineer.team.id, Role.ENGINEER)
    admin = Actor(client.admin.id, client.admin.team.id, Role.CLIENT_ADMIN)
    begun = start(
        client.id,
        session.database.guides.default,
        client_name=f"Client {client.id}",
        channel=client.channel.id,
        engineer=engineer.user_id,
        client_admins=(),
        actor=engineer,
        now=now,
        client_team=client.admin.team.id,
    )
    await onboardings.add(session, begun)
    onboarding = await onboardings.get(session, client.id, lock=True)
    while (step := onboarding.current) and step.number < at_step:
        first = step.number == 1
        done = (
            choose_option(onboarding, 1, "new", admin, now)
            if first
            else finish_step(onboarding, step.number, admin, now)
        )
        onboarding = await onboardings.save(session, onboarding, done)
    return onboarding


async def _show(
    session: Session, platforms: Platforms, client: Client, onboarding: Onboarding
) -> None:
    """Put everything into Slack that the bot would have posted by now."""
    posted = {slot: Posted(slot, "1.1", DONE, None) for slot in (PIN, BOOKMARK)}
    first: Message | None = None
    for message in desired(onboarding, {}):
        thread_ts = first.ts if first else None
        blocks = list(message.blocks)
        shown = new_message(platforms.slack, client.channel, message.text, blocks, thread_ts)
        shown.metadata = message.metadata
        client.channel.messages.append(shown)  # without an event
        first = first or shown
        posted[message.slot] = Posted(message.slot, shown.ts, message.digest, None)
    assert first
    # Now that the current step is posted, the first message links to it.
    url = f"https://{platforms.engineer.team.domain}.slack.com/"
    root = next(iter(desired(onboarding, posted, url)))
    first.text, first.blocks = root.text, list(root.blocks)
    posted[root.slot] = Posted(root.slot, first.ts, root.digest, None)
    await posted_messages.save(session, client.id, posted.values(), known=())
    await posted_messages.set_thread(session, client.id, first.ts)
    row, event = OnboardingRow, EventRow
    level = {"published_revision": onboarding.revision}
    await session.exec(update(row).where(col(row.id) == client.id).values(**level))
    its_own = col(event.onboarding_id) == client.id
    await session.exec(update(event).where(its_own).values(announced_ts="1.1"))
