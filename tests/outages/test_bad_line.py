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
from tests.outages.time_lapse import time_lapse
from tests.outages.wire import Fault, Wire, WiredDatabase, running_wire

FAULT_RATE = 0.02  # of the messages to the server, and there are about ten thousand
TRY_AGAIN = "Please try again"
LAST_STEP_WITHOUT_VALUES = 18


class RetryingPeople(People):
    """People who accept “please try again”; without it, what they did must be saved."""

    async def press(
        self, person: Person, number: int, action_id: str, kind: str, times: int = 1
    ) -> None:
        """Press until the message no longer offers the button."""

        async def pressed() -> None:
            before = len(person.ephemerals)
            press = await person.press(self.step_message(number), action_id)
            await self.bot.wait_a_moment()
            if press.ack.ok and not asked_to_retry(person, before):
                self.assert_recorded(kind, number, times)

        await self.retry_until(lambda: not self.offered(number, action_id), pressed)


def asked_to_retry(person: Person, before: int) -> bool:
    """Whether someone was asked to try again after their first `before` private messages."""
    return any(TRY_AGAIN in reply.text for reply in person.ephemerals[before:])


def at_message(number: int, fault: Fault) -> Callable[[], Fault | None]:
    """Inject the fault once, at the `number`-th message from now."""
    numbers = count(1)
    return lambda: fault if next(numbers) == number else None


@asynccontextmanager
async def flaky_connection(
    database: PostgresDatabase, patch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Wire, People]]:
    """A world whose database connection goes over a wire, with short timeouts."""
    for module in (storage.database, storage.postgresql):
        patch.setattr(module, "TIMEOUT_SECONDS", 1)
    patch.setattr(TimedConnection, "max_wait_seconds", 0.3)
    async with (
        running_wire(database.url) as wire,
        time_lapse(WiredDatabase.through(wire, database), patch, RetryingPeople) as (
            people,
            _lapse,
        ),
    ):
        yield wire, people


@ON_POSTGRESQL
@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 8))
async def test_an_onboarding_survives_a_flaky_database_connection(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311  # not a secret

    def random_fault() -> Fault | None:
        happens = rng.random() < FAULT_RATE
        return rng.choices(list(Fault), weights=[4, 4, 1])[0] if happens else None

    async with flaky_connection(database, monkeypatch) as (wire, people):
        wire.fault = random_fault
        await people.onboard()
        await people.wait_until_caught_up()
        wire.fault = lambda: None

        await assert_onboarding_completed(people)
        assert wire.hits.keys() == set(Fault)


@ON_POSTGRESQL
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
async def test_a_press_with_a_database_fault_is_saved_or_asks_to_try_again(
    database: PostgresDatabase, fault: Fault
) -> None:
    async with (
        running_wire(database.url) as wire,
        running_world(WiredDatabase.through(wire, database)) as world,
    ):
        await world.begin()
        retried = 0
        for number in range(1, LAST_STEP_WITHOUT_VALUES + 1):
            action = "choose_account:new" if number == 1 else "step_done"
            before = len(world.ann.ephemerals)
            wire.fault = at_message(number, fault)
            press = await world.press(world.ann, f"step:{number}", action)
            wire.fault = lambda: None
            done = (world.ann.id, number)

            assert press.ack.ok
            if asked_to_retry(world.ann, before):
                retried += 1
                await world.press(world.ann, f"step:{number}", action)
            assert world.events("step_done").count(done) == 1
            await world.catch_up()

        await world.assert_consistent()
        assert retried
        assert wire.hits[fault] == LAST_STEP_WITHOUT_VALUES
