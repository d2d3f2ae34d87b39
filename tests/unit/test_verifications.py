"""Entering values, running verifications, and how the last one completes an onboarding."""

from dataclasses import replace

import pytest

from bot.core.errors import Refused
from bot.guide import Owner
from bot.onboarding import EventKind, Onboarding, Status, StepState, Verification, lifecycle
from bot.onboarding.credentials import enter_credentials
from bot.onboarding.people import Role
from bot.onboarding.steps import finish_step
from bot.onboarding.verification_report import Outcome, Report
from bot.onboarding.verifications import (
    RETRY_AFTER,
    finish_verification,
    record_booking_sent,
    request_verification,
)
from tests.builders import (
    ALL_FIELDS,
    GUIDE,
    MINUTE,
    NOW,
    PASSED,
    a_client_admin,
    a_completed_onboarding,
    a_report,
    an_engineer,
    an_onboarding,
    kinds,
    verified,
    with_credentials,
)

ANN, ERIN = a_client_admin(), an_engineer()
LATER = NOW + 60 * MINUTE
MUCH_LATER = LATER + 60 * MINUTE
FAILED = a_report(Outcome.FAILED, ("client_secret",))
UNKNOWN = a_report(Outcome.UNKNOWN)
UNREACHABLE = a_report(Outcome.UNKNOWN, retry=True)


def current_run(onboarding: Onboarding) -> Verification:
    assert onboarding.verification
    return onboarding.verification


def a_verifying_onboarding(at_step: int = 22) -> Onboarding:
    """An onboarding whose values have all been entered and are being verified."""
    return an_onboarding(at_step=at_step, credentials=ALL_FIELDS, report=None)


def current_step(onboarding: Onboarding) -> int | None:
    return onboarding.current.number if onboarding.current else None


# --- asking for one ---


def test_an_engineer_can_request_a_verification() -> None:
    change = request_verification(an_onboarding(at_step=25), ERIN, LATER)

    assert kinds(change) == [EventKind.VERIFICATION_REQUESTED]
    assert change.events[0].detail == {"number": 2}
    assert current_run(change.onboarding) == Verification(2, ERIN, LATER)


def test_a_verification_with_missing_values_is_refused() -> None:
    with pytest.raises(Refused, match=r"Still missing: .*Application Key \(step 22\)"):
        request_verification(an_onboarding(at_step=20), ERIN, LATER)


def test_a_running_verification_is_not_started_twice() -> None:
    with pytest.raises(Refused, match="already running"):
        request_verification(a_verifying_onboarding(), ERIN, LATER)


# --- results ---


def recorded_detail(report: Report) -> dict[str, object]:
    """What the history records of a report: the values to re-enter decide whose turn it is."""
    again: dict[str, object] = {}
    if report.outcome is Outcome.FAILED:
        again = {"fields": list(report.fields), "why": ["Client ID and Client Secret"]}
    return {"outcome": report.outcome.value, **again}


@pytest.mark.parametrize("report", [PASSED, FAILED, UNKNOWN])
def test_a_result_is_stored_and_recorded_as_an_action_of_the_bot(report: Report) -> None:
    onboarding = a_verifying_onboarding()

    change = finish_verification(onboarding, current_run(onboarding), report, LATER)

    (event,) = change.events
    assert current_run(change.onboarding).report == report
    assert (event.kind, event.actor.role) == (EventKind.VERIFICATION_FINISHED, Role.BOT)
    assert event.detail == {"number": 1, **recorded_detail(report)}


def test_an_early_pass_does_not_finish_a_step() -> None:
    onboarding = a_verifying_onboarding(at_step=20)

    after = verified(onboarding, PASSED)

    assert after.steps == onboarding.steps
    assert after.status is Status.ACTIVE


def test_a_failure_names_the_values_and_makes_it_the_clients_turn() -> None:
    after = verified(a_verifying_onboarding(at_step=24), FAILED)

    assert after.to_enter_again == ("client_secret",)
    assert after.turn is Owner.CLIENT


def test_reentering_the_failed_value_makes_it_heavysets_turn() -> None:
    failed = verified(a_verifying_onboarding(at_step=24), FAILED)

    after = with_credentials(failed, ["client_secret"])

    assert after.to_enter_again == ()
    assert after.turn is Owner.HEAVYSET


def test_a_failure_at_step_25_leaves_it_open() -> None:
    asked = request_verification(an_onboarding(at_step=25), ERIN, LATER).onboarding

    after = verified(asked, FAILED)

    assert after.current == GUIDE.step(25)
    assert after.status is Status.ACTIVE


def test_a_pass_at_step_25_finishes_it_and_completes_the_onboarding() -> None:
    asked = request_verification(an_onboarding(at_step=25), ERIN, LATER).onboarding

    change = finish_verification(asked, current_run(asked), PASSED, MUCH_LATER)

    assert change.onboarding.status is Status.COMPLETED
    assert change.onboarding.current is None
    assert kinds(change) == [
        EventKind.VERIFICATION_FINISHED,
        EventKind.STEP_DONE,
        EventKind.COMPLETED,
    ]


def test_step_25_is_credited_to_whoever_requested_the_verification() -> None:
    last = a_completed_onboarding().step(25)

    assert (last.state, last.by) == (StepState.DONE, ERIN)


def test_it_is_nobodys_turn_once_the_onboarding_is_completed() -> None:
    assert a_completed_onboarding().turn is None


@pytest.mark.parametrize(
    ("number", "minutes"),
    [(1, 1), (2, 0), (0, 0)],
    ids=["a restarted run", "a later number", "number zero"],
)
def test_a_stale_result_is_refused(number: int, minutes: int) -> None:
    onboarding = a_verifying_onboarding()
    run = current_run(onboarding)
    stale = replace(run, number=number, requested_at=run.requested_at + minutes * MINUTE)

    with pytest.raises(Refused, match="newer verification"):
        finish_verification(onboarding, stale, PASSED, LATER)


def test_a_result_for_values_that_have_been_replaced_is_refused() -> None:
    onboarding = a_verifying_onboarding()
    run = current_run(onboarding)
    after = enter_credentials(onboarding, 18, {"tenant_id": "••••0001"}, ANN, LATER).onboarding

    with pytest.raises(Refused, match="newer verification"):
        finish_verification(after, run, FAILED, MUCH_LATER)


def test_a_second_result_of_the_same_run_is_refused() -> None:
    onboarding = a_verifying_onboarding()
    run, after = current_run(onboarding), verified(onboarding, PASSED)

    with pytest.raises(Refused, match="newer verification"):
        finish_verification(after, run, FAILED, LATER)


# --- while ServiceTitan is down ---


def test_the_check_is_retried_while_servicetitan_is_down() -> None:
    onboarding = a_verifying_onboarding()

    after = verified(onboarding, UNREACHABLE, now=LATER)

    assert current_run(after).due_at == LATER + RETRY_AFTER[0]
    assert current_run(after).attempt == 1


def test_an_unknown_result_that_waiting_cannot_fix_is_not_retried() -> None:
    assert current_run(verified(a_verifying_onboarding(), UNKNOWN)).due_at is None


def test_a_retry_that_still_gets_no_answer_records_no_event() -> None:
    onboarding = verified(a_verifying_onboarding(), UNREACHABLE)
    run = current_run(onboarding)

    change = finish_verification(onboarding, run, UNREACHABLE, LATER)

    assert change.events == ()
    assert current_run(change.onboarding).retry_at == LATER + RETRY_AFTER[1]


def test_the_bot_stops_retrying_after_a_day() -> None:
    onboarding = a_verifying_onboarding()
    for _ in RETRY_AFTER:
        onboarding = verified(onboarding, UNREACHABLE, now=LATER)
        assert current_run(onboarding).due_at
    onboarding = verified(onboarding, UNREACHABLE, now=LATER)

    assert current_run(onboarding).due_at is None


@pytest.mark.parametrize("found", [PASSED, FAILED], ids=["passed", "failed"])
def test_an_answer_after_retries_gets_its_own_number_and_message(found: Report) -> None:
    onboarding = verified(a_verifying_onboarding(), UNREACHABLE)
    run = current_run(onboarding)

    change = finish_verification(onboarding, run, found, LATER)

    assert [
        (verification.number, verification.report)
        for verification in change.onboarding.verifications
    ] == [
        (1, UNREACHABLE),
        (2, found),
    ]
    assert change.events[0].detail == {"number": 2, **recorded_detail(found)}
    assert [verification.due_at for verification in change.onboarding.verifications] == [None, None]


def test_a_new_verification_ends_the_retries_of_the_old_one() -> None:
    onboarding = verified(a_verifying_onboarding(), UNREACHABLE)

    after = request_verification(onboarding, ERIN, LATER).onboarding

    assert [run.due_at for run in after.verifications] == [None, LATER]


# --- the test booking ---


def an_onboarding_with_a_booking() -> Onboarding:
    """An onboarding that is waiting for the result of a verification with a test booking."""
    return request_verification(an_onboarding(at_step=25), ERIN, LATER, "heavyset-1").onboarding


def send_booking(onboarding: Onboarding) -> Onboarding:
    run = current_run(onboarding)
    return record_booking_sent(onboarding, run, MUCH_LATER).onboarding


def test_a_test_booking_is_part_of_the_request() -> None:
    change = request_verification(an_onboarding(at_step=25), ERIN, LATER, "heavyset-1")

    assert change.events[0].detail == {"number": 2, "booking": "heavyset-1"}
    assert current_run(change.onboarding).booking == "heavyset-1"


@pytest.mark.parametrize("step", [22, 24])
def test_a_test_booking_is_refused_before_the_final_step(step: int) -> None:
    onboarding = an_onboarding(at_step=step, credentials=ALL_FIELDS)

    with pytest.raises(Refused, match="only available at the last step"):
        request_verification(onboarding, ERIN, LATER, "heavyset-1")


def test_sending_a_test_booking_is_recorded_only_once() -> None:
    after = send_booking(an_onboarding_with_a_booking())

    assert current_run(after).booking_sent_at == MUCH_LATER
    with pytest.raises(Refused, match="no test booking to be sent"):
        send_booking(after)


def test_a_run_without_a_test_booking_cannot_send_one() -> None:
    with pytest.raises(Refused, match="no test booking to be sent"):
        send_booking(a_verifying_onboarding())


def test_a_superseded_run_does_not_send_its_test_booking() -> None:
    onboarding = an_onboarding_with_a_booking()
    newer = enter_credentials(onboarding, 18, {"tenant_id": "••••0001"}, ANN, MUCH_LATER).onboarding

    with pytest.raises(Refused, match="newer verification"):
        record_booking_sent(newer, current_run(onboarding), MUCH_LATER)


def test_a_paused_onboarding_does_not_send_a_test_booking() -> None:
    onboarding = an_onboarding_with_a_booking()
    paused = lifecycle.pause(onboarding, ERIN, MUCH_LATER).onboarding

    with pytest.raises(Refused, match="on hold"):
        send_booking(paused)


def test_a_retry_keeps_the_sent_booking_and_does_not_send_another() -> None:
    after = verified(send_booking(an_onboarding_with_a_booking()), UNREACHABLE, now=MUCH_LATER)

    assert current_run(after).due_at
    assert (current_run(after).booking, current_run(after).booking_sent_at) == (
        "heavyset-1",
        MUCH_LATER,
    )
    with pytest.raises(Refused, match="no test booking to be sent"):
        send_booking(after)


def test_an_answer_after_retries_keeps_the_booking_of_its_run() -> None:
    waiting = verified(send_booking(an_onboarding_with_a_booking()), UNREACHABLE, now=MUCH_LATER)

    after = verified(waiting, FAILED, now=MUCH_LATER)

    assert [run.booking for run in after.verifications] == [None, "heavyset-1", "heavyset-1"]
    assert current_run(after).booking_sent_at == MUCH_LATER


def test_the_next_verification_sends_no_booking_unless_requested() -> None:
    onboarding = verified(an_onboarding_with_a_booking(), FAILED, now=MUCH_LATER)

    assert current_run(with_credentials(onboarding, ["client_secret"])).booking is None


def test_a_failed_check_reopens_the_step_that_was_finished_while_it_ran() -> None:
    running = a_verifying_onboarding()
    early = finish_step(running, 22, ANN, LATER).onboarding
    run = current_run(early)

    failed = finish_verification(early, run, FAILED, MUCH_LATER)
    passed = finish_verification(early, run, PASSED, MUCH_LATER)

    assert current_step(failed.onboarding) == 22
    assert kinds(failed) == [EventKind.VERIFICATION_FINISHED, EventKind.STEP_UNDONE]
    assert current_step(passed.onboarding) == 23


def test_step_22_is_reopened_if_the_check_fails_after_an_outage() -> None:
    unknown = verified(a_verifying_onboarding(), UNREACHABLE)
    early = finish_step(unknown, 22, ANN, MUCH_LATER).onboarding

    after = verified(early, FAILED, now=MUCH_LATER)

    assert current_step(after) == 22


def test_a_failed_check_requested_after_the_handover_keeps_step_23_open() -> None:
    passed = verified(a_verifying_onboarding(), PASSED)
    handed_over = finish_step(passed, 22, ANN, MUCH_LATER).onboarding
    asked = request_verification(handed_over, ERIN, MUCH_LATER).onboarding

    after = verified(asked, FAILED, now=MUCH_LATER)

    assert current_step(after) == 23
