"""The test booking, from the button on: who may start it, what the thread says, only one made."""

import json
from datetime import UTC, datetime

import pytest

from bot.onboarding import Change, Onboarding
from bot.onboarding.verification_report import Report
from bot.onboarding.verifications import record_booking_sent
from bot.verification import runner
from sandbox.slack import buttons
from storage.changes import change
from tests.databases import ON_BOTH
from tests.integration.world import HeldEndpoint, World, last_reply

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
async def at_step_25(begun: World) -> World:
    await begun.walk_to(25)
    return begun


def external_ids(world: World) -> list[str]:
    return [booking.external_id for booking in world.servicetitan.bookings]


async def make_due(world: World) -> None:
    """End the wait before the next retry, and expire every lease."""
    world.write("UPDATE verification SET due_at = ? WHERE due_at IS NOT NULL", LONG_AGO)
    world.write("UPDATE verification SET run_until = ? WHERE run_until IS NOT NULL", LONG_AGO)
    await world.bot.sweep()
    await world.idle()


async def test_the_final_verification_makes_and_dismisses_a_test_booking(at_step_25: World) -> None:
    await at_step_25.press(at_step_25.erin, "step:25", "test_booking")

    [booking] = at_step_25.servicetitan.bookings
    assert booking.external_id == f"heavyset-test-{at_step_25.onboarding}-2"
    assert booking.status == "Dismissed"
    assert at_step_25.rows("SELECT status FROM onboarding") == [("completed",)]
    for text in (at_step_25.message("verification:2").text, *at_step_25.announced[-2:-1]):
        assert str(booking.id) in text
        assert "ismissed" in text


async def test_the_thread_explains_where_to_dismiss_the_test_booking(at_step_25: World) -> None:
    at_step_25.servicetitan.dismiss_status = 404

    await at_step_25.press(at_step_25.erin, "step:25", "test_booking")

    text = at_step_25.message("verification:2").text
    assert at_step_25.message("verification:2").payload["outcome"] == "passed"
    assert f"test booking ({at_step_25.servicetitan.bookings[0].id}" in text
    assert "Calls → Bookings → the booking → Dismiss" in text


async def test_a_crashed_run_names_the_booking_it_may_have_made(
    at_step_25: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_given: object, **_named: object) -> Report:
        raise OverflowError

    monkeypatch.setattr(runner, "verify", broken)

    await at_step_25.press(at_step_25.erin, "step:25", "test_booking")

    shown = json.dumps([message.blocks for message in at_step_25.engineering.messages])
    name = f"heavyset-test-{at_step_25.onboarding}-2"
    assert f"A test booking {name} may be in ServiceTitan." in shown


async def test_a_plain_verification_makes_no_test_booking(at_step_25: World) -> None:
    await at_step_25.press(at_step_25.erin, "step:25", "run_verification")

    assert at_step_25.rows("SELECT status FROM onboarding") == [("completed",)]
    assert at_step_25.servicetitan.bookings == []


async def test_clients_cannot_make_a_test_booking(at_step_25: World) -> None:
    await at_step_25.press(at_step_25.ann, "step:25", "test_booking")

    assert "This one's on us" in last_reply(at_step_25.ann)
    assert at_step_25.servicetitan.bookings == []


async def test_a_test_booking_before_its_step_is_refused(begun: World) -> None:
    await begun.walk_to(24)

    await begun.erin.press_raw(begun.message("root"), "test_booking", f"{begun.onboarding}:25")
    await begun.idle()

    assert "only available at the last step" in last_reply(begun.erin)
    assert begun.servicetitan.bookings == []


@ON_BOTH
async def test_two_presses_make_one_booking(at_step_25: World) -> None:
    servicetitan, message = (
        HeldEndpoint(at_step_25.servicetitan),
        at_step_25.message("step:25").snapshot(),
    )

    for _ in range(2):
        await at_step_25.erin.press(message, "test_booking")
    servicetitan.answers()
    await at_step_25.idle()

    assert "already running" in last_reply(at_step_25.erin)
    assert len(external_ids(at_step_25)) == 1


async def test_a_retry_of_the_same_run_reuses_the_booking_name(at_step_25: World) -> None:
    at_step_25.servicetitan.fail("token", status=503)
    await at_step_25.press(at_step_25.erin, "step:25", "test_booking")
    at_step_25.servicetitan.heal()

    await make_due(at_step_25)

    assert external_ids(at_step_25) == [f"heavyset-test-{at_step_25.onboarding}-2"]
    assert at_step_25.message("verification:3").payload["outcome"] == "passed"


@ON_BOTH
async def test_a_booking_that_was_sent_before_a_crash_is_not_sent_again(at_step_25: World) -> None:
    at_step_25.servicetitan.fail("token", status=503)
    await at_step_25.press(at_step_25.erin, "step:25", "test_booking")
    at_step_25.servicetitan.heal()
    at_step_25.write("UPDATE verification SET booking_sent_at = ? WHERE number = 2", LONG_AGO)

    await make_due(at_step_25)

    assert external_ids(at_step_25) == []
    assert at_step_25.rows("SELECT booking_sent_at FROM verification WHERE number = 2") == [
        (LONG_AGO,)
    ]
    message = at_step_25.message("verification:2")
    assert message.payload["outcome"] == "unknown"
    assert at_step_25.current == 25


async def test_after_a_lost_booking_an_engineer_tries_again_under_a_new_name(
    at_step_25: World,
) -> None:
    at_step_25.servicetitan.fail("create-booking", status="drop", times=1)
    await at_step_25.press(at_step_25.erin, "step:25", "test_booking")
    assert "a HeavySet engineer may try again" in at_step_25.message("verification:2").text

    await at_step_25.press(at_step_25.erin, "step:25", "test_booking")

    assert external_ids(at_step_25) == [f"heavyset-test-{at_step_25.onboarding}-3"]
    assert at_step_25.rows("SELECT status FROM onboarding") == [("completed",)]


@ON_BOTH
async def test_a_run_that_records_its_booking_as_sent_keeps_its_lease(at_step_25: World) -> None:
    at_step_25.servicetitan.fail("token", status=503)
    await at_step_25.press(at_step_25.erin, "step:25", "test_booking")
    lease = "UPDATE verification SET run_owner = ?, run_until = ? WHERE number = 2"
    at_step_25.write(lease, "its worker", FAR_AHEAD)

    def send(at: Onboarding) -> Change:
        assert at.verification
        return record_booking_sent(at, at.verification, datetime.now(UTC))

    await change(at_step_25.bot.database, at_step_25.onboarding, send)

    query = "SELECT run_owner, run_until, booking_sent_at FROM verification WHERE number = 2"
    [(owner, until, sent_at)] = at_step_25.rows(query)
    assert (owner, until) == ("its worker", FAR_AHEAD)
    assert sent_at


async def test_reentering_a_value_during_a_run_still_makes_only_one_booking(
    at_step_25: World,
) -> None:
    servicetitan = HeldEndpoint(at_step_25.servicetitan)
    await at_step_25.erin.press(at_step_25.message("step:25"), "test_booking")
    await servicetitan.asked()
    value = f"{at_step_25.onboarding}:22:client_secret"
    await at_step_25.ann.press_raw(at_step_25.message("step:22"), "enter_credentials", value)
    form = await at_step_25.slack.until(lambda: at_step_25.ann.view)
    secret = at_step_25.servicetitan.client_secret

    assert (await at_step_25.ann.submit(form, {"client_secret": secret})).ok
    servicetitan.answers()
    await at_step_25.idle()

    assert len(external_ids(at_step_25)) == 1
    assert at_step_25.rows("SELECT status FROM onboarding") == [("completed",)]


# --- write permissions that can't be proven ---


@pytest.fixture
async def unproven(begun: World) -> World:
    """A verification has passed, but the token didn't list its scopes."""
    begun.servicetitan.claims = False
    await begun.walk_to(23)
    return begun


async def test_an_engineer_can_confirm_unproven_write_permissions(unproven: World) -> None:
    await unproven.press(unproven.erin, "verification:1", "confirm_writes")

    message = unproven.message("verification:1")
    assert f"checked by <@{unproven.erin.id}>" in message.text
    assert buttons(message) == []
    assert unproven.events("writes_confirmed") == [(unproven.erin.id, None)]


async def test_clients_cannot_confirm_write_permissions(unproven: World) -> None:
    await unproven.press(unproven.ann, "verification:1", "confirm_writes")

    assert "This one's on us" in last_reply(unproven.ann)
    assert unproven.events("writes_confirmed") == []


async def test_write_permissions_are_confirmed_only_once(unproven: World) -> None:
    message = unproven.message("verification:1").snapshot()
    for _ in range(2):
        await unproven.erin.press(message, "confirm_writes")
        await unproven.idle()

    assert f"<@{unproven.erin.id}> already marked this" in last_reply(unproven.erin)
    assert len(unproven.events("writes_confirmed")) == 1
