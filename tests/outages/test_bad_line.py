"""The PostgreSQL connection breaks, loses responses, or hangs: no acknowledged change is lost."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

import pytest

import storage.database
import storage.postgresql
from sandbox.slack import Person
from storage.postgresql import TimedConnection
from tests.crash.final_state import assert_onboarding_completed
from tests.crash.people import People
from tests.databases import ON_POSTGRESQL, PostgresDatabase
from tests.integration.world import running_world
from tests.outages.time_lapse import lapsing
from tests.outages.wire import Fault, Wire, WiredDatabase, run_wire

OFTEN = 0.02  # of the messages to the server, and there are about ten thousand
SORRY = "Please try again"
LAST_WITHOUT_VALUES = 18


class Forgiving(People):
    """People who accept “please try again”; without it, what they did must be saved."""

    async def press(
        self, person: Person, number: int, action_id: str, kind: str, times: int = 1
    ) -> None:
        """Press until the message no longer offers the button."""

        async def pressed() -> None:
            before = len(person.ephemerals)
            press = await person.press(self.the(number), action_id)
            await self.bot.breathe()
            if press.ack.ok and not told_sorry(person, before):
                self.must_be_kept(kind, number, times)

        await self.do(lambda: not self.offered(number, action_id), pressed)


def told_sorry(person: Person, before: int) -> bool:
    """Whether someone was asked to try again after their first `before` private messages."""
    return any(SORRY in one.text for one in person.ephemerals[before:])


def at_message(number: int, fault: Fault) -> Callable[[], Fault | None]:
    """Inject the fault once, at the `number`-th message from now."""
    numbers = count(1)
    return lambda: fault if next(numbers) == number else None


@asynccontextmanager
async def weather(
    database: PostgresDatabase, patch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Wire, People]]:
    """A world whose database connection goes over a wire, with short timeouts."""
    for module in (storage.database, storage.postgresql):
        patch.setattr(module, "TIMEOUT_SECONDS", 1)
    patch.setattr(TimedConnection, "max_wait_seconds", 0.3)
    async with (
        run_wire(database.url) as wire,
        lapsing(WiredDatabase.over(wire, database), patch, Forgiving) as (people, _lapse),
    ):
        yield wire, people


@ON_POSTGRESQL
@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 8))
async def test_an_onboarding_survives_a_flaky_database_connection(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # weather, not a secret

    def now_and_then() -> Fault | None:
        happens = chance.random() < OFTEN
        return chance.choices(list(Fault), weights=[4, 4, 1])[0] if happens else None

    async with weather(database, monkeypatch) as (wire, people):
        wire.fault = now_and_then
        await people.onboard()
        await people.level()
        wire.fault = lambda: None

        await assert_onboarding_completed(people)
        assert wire.hits.keys() == set(Fault)


@ON_POSTGRESQL
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.LOST])
async def test_a_press_with_a_database_fault_is_saved_or_asks_to_try_again(
    database: PostgresDatabase, fault: Fault
) -> None:
    async with (
        run_wire(database.url) as wire,
        running_world(WiredDatabase.over(wire, database)) as world,
    ):
        await world.begin()
        sorry = 0
        for number in range(1, LAST_WITHOUT_VALUES + 1):
            action = "choose_account:new" if number == 1 else "step_done"
            before = len(world.ann.ephemerals)
            wire.fault = at_message(number, fault)
            press = await world.press(world.ann, f"step:{number}", action)
            wire.fault = lambda: None
            done = (world.ann.id, number)

            assert press.ack.ok
            if told_sorry(world.ann, before):
                sorry += 1
                await world.press(world.ann, f"step:{number}", action)
            assert world.events("step_done").count(done) == 1
            await world.catch_up()

        await world.assert_consistent()
        assert sorry
        assert wire.hits[fault] == LAST_WITHOUT_VALUES
