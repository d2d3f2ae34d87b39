"""Concurrent transactions: a reader sees one snapshot, and writers don't get in the way."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

import storage.postgresql
from bot.core.errors import Unavailable
from bot.onboarding import Change, Onboarding
from bot.onboarding.people import Actor, Role
from bot.onboarding.questions import ask_for_help
from storage import onboardings
from storage.changes import change
from storage.session import Session
from tests.databases import ON_BOTH, ON_POSTGRESQL, AnyDatabase
from tests.integration.world import World, running_world

pytestmark = ON_BOTH

QUESTIONS = 20  # by two people: each may ask ten times within an hour


def ask_transition(world: World, question: str) -> Callable[[Onboarding], Change]:
    """The transition that asks a question."""
    colleague = question.endswith("of 1?")
    actor = Actor("U0BEN" if colleague else world.ann.id, world.ann.team.id, Role.CLIENT_ADMIN)
    return lambda at: ask_for_help(at, 1, question, actor, datetime.now(UTC))


async def ask(
    world: World,
    onboarding: str,
    question: str,
    also: Callable[[Session, Onboarding], Awaitable[None]] | None = None,
) -> None:
    await change(world.bot.database, onboarding, ask_transition(world, question), also)


async def test_a_read_transaction_sees_one_snapshot_despite_writes(begun: World) -> None:
    database, onboarding = begun.bot.database, begun.onboarding
    async with database.begin(write=False) as session:
        before = await onboardings.get(session, onboarding)
        await ask(begun, onboarding, "Which portal?")

        again = await onboardings.get(session, onboarding)

    assert again == before
    assert len(begun.events("help_asked")) == 1


async def test_concurrent_changes_are_all_applied(begun: World) -> None:
    questions = [f"Question {number // 2} of {number % 2}?" for number in range(QUESTIONS)]

    await asyncio.gather(*(ask(begun, begun.onboarding, question) for question in questions))

    assert len(begun.events("help_asked")) == QUESTIONS
    assert begun.rows("SELECT revision FROM onboarding") == [(QUESTIONS,)]


@ON_POSTGRESQL  # on SQLite, writers wait for each other before they begin
async def test_two_deadlocked_changes_are_both_applied(begun: World) -> None:
    other = begun.slack.add_channel("beta", begun.erin)
    pair = begun.onboarding, await begun.begin("Beta Heating", other)
    barrier, attempts = asyncio.Barrier(2), list[str]()

    async def ask_and_take(mine: str, others: str) -> None:
        async def take(session: Session, _mine: Onboarding) -> None:
            attempts.append(mine)
            if len(attempts) <= len(pair):  # each holds its own lock, and waits for the other's
                await barrier.wait()
            await onboardings.get(session, others, lock=True)

        await ask(begun, mine, "Which portal?", take)

    await asyncio.gather(ask_and_take(*pair), ask_and_take(*reversed(pair)))

    assert len(begun.events("help_asked")) == 2
    assert len(attempts) == 3


@ON_POSTGRESQL
async def test_concurrent_changes_succeed_on_a_serializable_server(
    database: AnyDatabase,
) -> None:
    [(name,)] = database.rows("SELECT current_database()")
    database.write(f"ALTER DATABASE {name} SET default_transaction_isolation TO serializable")
    async with running_world(database) as world:
        await world.begin()

        await asyncio.gather(*(ask(world, world.onboarding, f"{number}?") for number in range(3)))

        assert len(world.events("help_asked")) == 3


@ON_POSTGRESQL
async def test_a_stalled_worker_does_not_block_the_others_for_long(
    database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = f"'{storage.postgresql.IDLE_SECONDS}s'"
    assert idle in storage.postgresql.BEGIN
    monkeypatch.setattr(storage.postgresql, "BEGIN", storage.postgresql.BEGIN.replace(idle, "'1s'"))
    async with running_world(database) as world:
        await world.begin()

        async def stall() -> None:
            async with world.bot.database.begin() as session:
                await onboardings.get(session, world.onboarding, lock=True)
                while not world.events("help_asked"):
                    with suppress(Unavailable):
                        await ask(world, world.onboarding, "Which portal?")

        with pytest.raises(Unavailable):  # raised by its next query
            await asyncio.wait_for(stall(), 20)


@ON_POSTGRESQL
async def test_two_workers_can_start_with_a_new_guide_simultaneously(world: World) -> None:
    world.write("DELETE FROM guide")
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

    async def start() -> int:
        async with world.second_bot():
            return len(world.rows("SELECT version FROM guide"))

    async with world.bot.database.begin() as session:
        await world.bot.database.guides.save_newest(session)
        await session.flush()
        second = asyncio.create_task(start())
        while not world.rows(waiting):  # noqa: ASYNC110 (the database tells nobody)
            await asyncio.sleep(0.01)

    assert await second == 1


@ON_POSTGRESQL
async def test_a_broken_connection_raises_unavailable_and_is_reopened(
    begun: World,
) -> None:
    terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ? "

    async def lose_connection() -> None:
        async with begun.bot.database.begin() as session:
            await onboardings.get(session, begun.onboarding)
            [(name,)] = begun.rows("SELECT current_database()")
            begun.rows(f"{terminate} AND pid != pg_backend_pid()", name)
            await onboardings.get(session, begun.onboarding)

    with pytest.raises(Unavailable):
        await lose_connection()

    await ask(begun, begun.onboarding, "Which portal?")
    assert len(begun.events("help_asked")) == 1
