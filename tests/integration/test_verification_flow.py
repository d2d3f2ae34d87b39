"""Verification: when it runs, what the thread shows, and how to recover from a failure."""

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.slack import Message, buttons
from tests.databases import ON_BOTH
from tests.integration.world import HeldEndpoint, World, last_reply

WRONG_SECRET = f"cs1.{'w' * 50}"
LONG_AGO = "2000-01-01 00:00:00.000000"


@pytest.fixture
async def at_step_22(begun: World) -> World:
    """All steps up to 22 are posted, and no credential is entered."""
    await begun.walk_to(22)
    return begun


async def enter_all(world: World, **other: str) -> None:
    answer = await world.enter(world.ann, 22, **{**world.servicetitan.credentials, **other})
    assert answer.ok, answer


def outcome(message: Message) -> Mapping[str, Any]:
    return {name: message.payload[name] for name in ("outcome", "fields")}


def verifications(world: World) -> list[str]:
    return [slot for slot in world.slots() if slot.startswith("verification:")]


async def make_due(world: World) -> None:
    """Let the delay before the next attempt run out."""
    world.write("UPDATE verification SET due_at = ? WHERE due_at IS NOT NULL", LONG_AGO)
    await world.bot.sweep()
    await world.idle()


async def test_entering_the_fifth_value_verifies_all_five(at_step_22: World) -> None:
    values = at_step_22.servicetitan.credentials
    first = {name: value for name, value in values.items() if name != "application_key"}
    await at_step_22.press(at_step_22.ann, "step:21", "step_undo")
    await at_step_22.ann.press_raw(
        at_step_22.message("root"), "enter_credentials", f"{at_step_22.onboarding}:20"
    )
    await at_step_22.idle()
    await at_step_22.submit(at_step_22.ann, at_step_22.view_of(at_step_22.ann), **first)
    assert at_step_22.servicetitan.requests == []
    await at_step_22.press(at_step_22.ann, "step:21", "step_done")

    await at_step_22.enter(at_step_22.ann, 22, application_key=values["application_key"])

    message = at_step_22.message("verification:1")
    assert outcome(message) == {"outcome": "passed", "fields": []}
    assert "ServiceTitan accepted all 5 credentials" in message.text
    assert at_step_22.current == 22
    assert any("check 1 passed" in text for text in at_step_22.announced)


async def test_step_22_waits_for_all_five_values(at_step_22: World) -> None:
    await at_step_22.press(at_step_22.ann, "step:22", "step_done")

    assert "still need Booking Provider ID (step 11)" in last_reply(at_step_22.ann)
    assert "Client Secret (step 19)" in last_reply(at_step_22.ann)
    assert at_step_22.current == 22


async def test_a_wrong_secret_offers_to_re_enter_the_suspect_fields(at_step_22: World) -> None:
    await enter_all(at_step_22, client_secret=WRONG_SECRET)

    message = at_step_22.message("verification:1")
    assert outcome(message) == {"outcome": "failed", "fields": ["client_id", "client_secret"]}
    assert "Client ID and Client Secret" in message.text
    assert "First look at the dot" in message.text
    [button] = [button for button in buttons(message) if button["action_id"] == "enter_credentials"]
    assert button["value"] == f"{at_step_22.onboarding}:18:client_id:client_secret"
    assert "Acme Plumbing" in at_step_22.message("root").text.partition("Waiting on")[2]
    assert any("check 1 failed" in text for text in at_step_22.announced)


async def test_a_corrected_secret_is_verified_immediately(at_step_22: World) -> None:
    await enter_all(at_step_22, client_secret=WRONG_SECRET)
    right = at_step_22.servicetitan.credentials

    view = await at_step_22.open(at_step_22.ann, "verification:1", "enter_credentials")
    fields = [block["block_id"] for block in view.blocks if block["type"] == "input"]
    answer = await at_step_22.submit(at_step_22.ann, view, client_secret=right["client_secret"])

    assert fields == ["client_id", "client_secret"]
    assert answer.ok
    assert verifications(at_step_22) == ["verification:1", "verification:2"]
    assert outcome(at_step_22.message("verification:2"))["outcome"] == "passed"
    assert buttons(at_step_22.message("verification:1")) == []
    assert "See the newer check below" in at_step_22.message("verification:1").text


async def test_a_wrong_value_asks_for_just_that_value_again(
    at_step_22: World, subtests: pytest.Subtests
) -> None:
    fields = ("tenant_id", "client_id", "application_key", "booking_provider_id")
    for number, field in enumerate(fields, start=1):
        with subtests.test(field):
            right = at_step_22.servicetitan.credentials
            wrong = right[field][:-1] + ("1" if right[field][-1] == "2" else "2")
            value = ":".join([at_step_22.onboarding, "22", *right])
            await at_step_22.ann.press_raw(
                at_step_22.message("step:22"), "enter_credentials", value
            )
            await at_step_22.idle()
            form = at_step_22.view_of(at_step_22.ann)
            assert (await at_step_22.submit(at_step_22.ann, form, **{**right, field: wrong})).ok

            found = outcome(at_step_22.message(f"verification:{number}"))

            assert found["outcome"] == "failed"
            assert field in found["fields"]
            assert set(found["fields"]) <= {field, "client_secret"}


async def test_missing_permissions_do_not_ask_for_any_value_again(at_step_22: World) -> None:
    at_step_22.servicetitan.scopes = frozenset(
        scope for scope in at_step_22.servicetitan.scopes if "campaigns" not in scope
    )

    await enter_all(at_step_22)

    message = at_step_22.message("verification:1")
    assert outcome(message) == {"outcome": "failed", "fields": []}
    assert "Campaigns" in message.text
    assert [button["action_id"] for button in buttons(message)] == ["run_verification", "step_help"]


async def test_a_servicetitan_outage_does_not_call_any_value_wrong(at_step_22: World) -> None:
    at_step_22.servicetitan.fail("token", status=503)

    await enter_all(at_step_22)

    message = at_step_22.message("verification:1")
    assert outcome(message) == {"outcome": "unknown", "fields": []}
    assert "Nothing is wrong with what you entered" in message.text
    assert "I'll try again" in message.text
    assert buttons(message) == []


async def test_an_inconclusive_verification_is_retried_when_due(at_step_22: World) -> None:
    at_step_22.servicetitan.fail("token", status=429, retry_after=600, times=2)
    await enter_all(at_step_22)

    await at_step_22.bot.sweep()
    await at_step_22.idle()
    assert len(at_step_22.servicetitan.requests) == 1  # not due yet

    await make_due(at_step_22)
    assert verifications(at_step_22) == ["verification:1"]  # still away: no further message

    await make_due(at_step_22)
    assert verifications(at_step_22) == ["verification:1", "verification:2"]
    assert outcome(at_step_22.message("verification:1"))["outcome"] == "unknown"
    assert outcome(at_step_22.message("verification:2"))["outcome"] == "passed"
    assert at_step_22.rows("SELECT count(*) FROM verification WHERE due_at IS NOT NULL") == [(0,)]


@ON_BOTH
async def test_values_entered_during_a_run_decide_its_result(at_step_22: World) -> None:
    servicetitan, right = HeldEndpoint(at_step_22.servicetitan), at_step_22.servicetitan.credentials
    view = await at_step_22.open(at_step_22.ann, "step:22", "enter_credentials")

    assert (await at_step_22.ann.submit(view, {**right, "client_secret": WRONG_SECRET})).ok
    await servicetitan.asked()
    value = f"{at_step_22.onboarding}:22:client_secret"
    await at_step_22.ann.press_raw(at_step_22.message("step:22"), "enter_credentials", value)
    form = await at_step_22.slack.until(lambda: at_step_22.ann.view)
    assert (await at_step_22.ann.submit(form, {"client_secret": right["client_secret"]})).ok
    await servicetitan.asked()
    servicetitan.answers()
    await at_step_22.idle()

    [slot] = verifications(at_step_22)
    assert outcome(at_step_22.message(slot))["outcome"] == "passed"


@ON_BOTH
async def test_a_run_interrupted_by_a_crash_is_resumed(at_step_22: World) -> None:
    await enter_all(at_step_22)
    at_step_22.write(
        "UPDATE verification SET report = NULL, run_until = ?, due_at = ?", LONG_AGO, LONG_AGO
    )
    before = len(at_step_22.servicetitan.requests)

    await at_step_22.bot.sweep()
    await at_step_22.idle()

    assert len(at_step_22.servicetitan.requests) > before
    assert verifications(at_step_22) == ["verification:1"]


async def test_an_unreadable_value_is_not_reported_as_a_failed_verification(begun: World) -> None:
    await begun.walk_to(25)
    begun.write("UPDATE credential SET ciphertext = ? WHERE field = 'tenant_id'", b"\0")

    await begun.press(begun.erin, "step:25", "run_verification")

    message = begun.message("verification:2")
    assert outcome(message) == {"outcome": "unknown", "fields": []}
    assert "There is a problem on our side" in message.text
    assert begun.rows("SELECT status FROM onboarding") == [("active",)]


async def test_step_25_completes_the_onboarding(begun: World) -> None:
    await begun.walk_to(25)

    await begun.press(begun.erin, "step:25", "run_verification")

    assert outcome(begun.message("verification:2")) == {"outcome": "passed", "fields": []}
    assert begun.rows("SELECT status, finished_steps FROM onboarding") == [("completed", 25)]
    assert begun.events("step_done")[-1] == (begun.erin.id, 25)
    assert "Setup complete!" in begun.message("root").text
    assert "is done: 25 of 25 steps, verified" in begun.announced[-1]


async def test_an_automatic_check_records_step_25_as_done_by_the_bot(begun: World) -> None:
    await begun.walk_to(25)
    key = begun.servicetitan.credentials["application_key"]

    # The client re-enters a value: that starts a check that no engineer asked for.
    await begun.ann.press_raw(begun.message("root"), "enter_credentials", f"{begun.onboarding}:22")
    await begun.idle()
    await begun.submit(begun.ann, begun.view_of(begun.ann), application_key=key)

    assert begun.rows("SELECT by_user, by_role FROM step WHERE number = 25") == [("", "bot")]
    await begun.assert_consistent()


async def test_a_failure_at_step_25_leaves_it_open(begun: World) -> None:
    await begun.walk_to(25)
    begun.servicetitan.regenerate_secret()

    await begun.press(begun.erin, "step:25", "run_verification")

    assert outcome(begun.message("verification:2"))["outcome"] == "failed"
    assert begun.current == 25

    view = await begun.open(begun.ann, "verification:2", "enter_credentials")
    secret = begun.servicetitan.client_secret
    await begun.submit(begun.ann, view, client_secret=secret)

    assert outcome(begun.message("verification:3"))["outcome"] == "passed"
    assert begun.rows("SELECT status FROM onboarding") == [("completed",)]


async def test_pressing_done_does_not_finish_step_25(begun: World) -> None:
    await begun.walk_to(25)

    await begun.erin.press_raw(begun.message("root"), "step_done", f"{begun.onboarding}:25")
    await begun.idle()

    assert "Press *Verify now*" in last_reply(begun.erin)
    assert begun.current == 25


async def test_clients_cannot_run_the_verification_at_step_25(begun: World) -> None:
    await begun.walk_to(25)
    fields = len(begun.servicetitan.requests)

    await begun.press(begun.ann, "step:25", "run_verification")

    assert "This one's on us" in last_reply(begun.ann)
    assert len(begun.servicetitan.requests) == fields
    assert verifications(begun) == ["verification:1"]


async def test_a_running_verification_is_not_started_twice(begun: World) -> None:
    await begun.walk_to(25)
    servicetitan = HeldEndpoint(begun.servicetitan)

    for _ in range(2):
        await begun.erin.press(begun.message("step:25").snapshot(), "run_verification")
    servicetitan.answers()
    await begun.idle()

    assert "already running" in last_reply(begun.erin)
    assert verifications(begun) == ["verification:1", "verification:2"]


async def test_a_failed_check_blocks_step_22_and_the_client_can_check_again(
    at_step_22: World,
) -> None:
    await enter_all(at_step_22, client_secret=WRONG_SECRET)
    assert f"<@{at_step_22.ann.id}>" in at_step_22.message("verification:1").text

    await at_step_22.press(at_step_22.ann, "step:22", "step_done")
    assert at_step_22.current == 22
    assert "Please re-enter Client ID (step 18) and Client Secret (step 19)" in last_reply(
        at_step_22.ann
    )

    await at_step_22.press(at_step_22.ann, "verification:1", "run_verification")
    assert at_step_22.find("verification:2") is not None
    assert "❌ needs a fix · Check 1" in at_step_22.message("verification:1").text
    assert "Client ID and Client Secret" in at_step_22.message("verification:1").text
    await at_step_22.press(at_step_22.ann, "verification:2", "run_verification")
    assert "We just checked" in last_reply(at_step_22.ann)


async def test_a_check_that_fails_after_done_leads_back_to_step_22(at_step_22: World) -> None:
    servicetitan, right = HeldEndpoint(at_step_22.servicetitan), at_step_22.servicetitan.credentials
    view = await at_step_22.open(at_step_22.ann, "step:22", "enter_credentials")
    await at_step_22.ann.submit(view, {**right, "client_secret": WRONG_SECRET})
    await servicetitan.asked()
    await at_step_22.ann.press_raw(
        at_step_22.message("step:22"), "step_done", f"{at_step_22.onboarding}:22"
    )
    assert at_step_22.current == 23

    servicetitan.answers()
    await at_step_22.idle()

    assert at_step_22.current == 22
    assert "Go to step 22" in at_step_22.message("root").text
    assert "Waiting on: Acme Plumbing" in at_step_22.message("root").text
    assert "Back to <http" in at_step_22.message("jump:1").text
    assert [number for _, number in at_step_22.events("step_undone")] == [22]
    form = await at_step_22.open(at_step_22.ann, "verification:1", "enter_credentials")
    await at_step_22.submit(at_step_22.ann, form, client_secret=right["client_secret"])
    await at_step_22.press(at_step_22.ann, "step:22", "step_done")
    assert at_step_22.current == 23


async def test_credentials_can_still_be_verified_after_completion(at_step_22: World) -> None:
    await enter_all(at_step_22)
    for number in (22, 23, 24):
        await at_step_22.press(at_step_22.erin, f"step:{number}", "step_done")
    await at_step_22.press(at_step_22.erin, "step:25", "run_verification")
    assert "you're connected" in at_step_22.message("verification:2").text

    await at_step_22.type("verify")
    await at_step_22.idle()

    assert at_step_22.find("verification:3") is not None
    assert at_step_22.rows("SELECT status FROM onboarding") == [("completed",)]
