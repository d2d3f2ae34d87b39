"""A verification's result in the thread, and the buttons that it offers."""

import pytest

from bot.onboarding import Onboarding
from bot.onboarding.verification_report import Check, Outcome, Report
from bot.onboarding.verifications import confirm_writes, request_verification
from bot.verification.findings import TITLES
from bot.views.blocks import Message
from bot.views.report import verification_message
from tests.builders import (
    ALL_FIELDS,
    CAUSES,
    ENGINEER,
    NOW,
    ONBOARDING_ID,
    PASSED,
    PLACEHOLDERS,
    a_check,
    a_completed_onboarding,
    a_report,
    an_engineer,
    an_onboarding,
    finding,
    passed,
    verified,
)
from tests.unit.rendering import buttons, elements, problems

WRONG_SECRET = a_report(Outcome.FAILED, ("client_secret",))
WRONG_PAIR = a_report(Outcome.FAILED, ("client_id", "client_secret"))
NO_VALUE_WRONG = a_report(Outcome.FAILED)
UNKNOWN = a_report(Outcome.UNKNOWN)
UNREACHABLE = a_report(Outcome.UNKNOWN, retry=True)
REPORTS = [PASSED, WRONG_SECRET, WRONG_PAIR, NO_VALUE_WRONG, UNKNOWN, UNREACHABLE]


def messages(onboarding: Onboarding) -> list[Message]:
    return [
        verification_message(onboarding, run, run.report)
        for run in onboarding.verifications
        if run.report
    ]


def latest(report: Report) -> Message:
    """The message of a verification that found `report`."""
    return messages(an_onboarding(at_step=22, credentials=ALL_FIELDS, report=report))[-1]


def older_and_newer(first: Report) -> list[Message]:
    onboarding = an_onboarding(at_step=22, credentials=ALL_FIELDS, report=first)
    asked = request_verification(onboarding, an_engineer(), NOW).onboarding
    return messages(verified(asked, PASSED))


@pytest.mark.parametrize("report", REPORTS)
def test_slack_accepts_every_result(report: Report) -> None:
    assert problems(latest(report)) == []


@pytest.mark.parametrize("cause", CAUSES)
def test_slack_accepts_every_finding_in_the_catalog(cause: str) -> None:
    check = finding("token", cause, "HTTP 400", **PLACEHOLDERS)
    report = Report(checks=(check,), started_at=NOW, duration_ms=1, environment="production")

    assert problems(latest(report)) == []


def test_slack_accepts_the_longest_report() -> None:
    findings = [finding("token", cause, "HTTP 400", **PLACEHOLDERS) for cause in CAUSES]
    worst = max(findings, key=lambda check: len(check.for_client))
    checks = tuple(worst.model_copy(update={"id": name}) for name in TITLES)
    report = Report(checks=checks, started_at=NOW, duration_ms=1, environment="production")

    assert problems(latest(report)) == []


@pytest.mark.parametrize(
    ("report", "outcome", "fields"),
    [
        (PASSED, "passed", []),
        (WRONG_PAIR, "failed", ["client_id", "client_secret"]),
        (UNREACHABLE, "unknown", []),
    ],
)
def test_the_metadata_has_the_outcome_and_the_fields(
    report: Report, outcome: str, fields: list[str]
) -> None:
    assert latest(report).metadata["event_payload"] == {
        "onboarding_id": ONBOARDING_ID,
        "slot": "verification:1",
        "outcome": outcome,
        "fields": fields,
    }


def test_a_wrong_value_gets_a_button_to_reenter_just_that_value() -> None:
    button = elements(latest(WRONG_SECRET).blocks)["enter_credentials"]

    assert button["text"]["text"] == "Re-enter Client Secret"
    assert button["value"] == f"{ONBOARDING_ID}:19:client_secret"


def test_two_wrong_values_share_one_button_to_reenter_them() -> None:
    button = elements(latest(WRONG_PAIR).blocks)["enter_credentials"]

    assert button["text"]["text"] == "Re-enter"
    assert button["value"] == f"{ONBOARDING_ID}:18:client_id:client_secret"


def test_a_failure_offers_another_run_and_help() -> None:
    assert list(buttons(latest(WRONG_SECRET))) == [
        "enter_credentials",
        "run_verification",
        "step_help",
    ]


def test_a_failure_without_a_wrong_value_does_not_ask_to_reenter_any() -> None:
    assert list(buttons(latest(NO_VALUE_WRONG))) == ["run_verification", "step_help"]


def test_a_failure_names_the_steps_to_repeat() -> None:
    text = latest(WRONG_PAIR).text

    assert "Step 18: Verify Connection Status" in text
    assert "Step 19: Generate the Client Secret" in text
    assert "Please re-enter: Client ID and Client Secret." in text


def test_a_failure_shows_the_clients_wording_not_technical_details() -> None:
    text = latest(WRONG_SECRET).text

    assert "words for the client" in text
    assert "HTTP 200" not in text


@pytest.mark.parametrize("report", [UNKNOWN, UNREACHABLE])
def test_an_unknown_result_is_never_shown_as_failed(report: Report) -> None:
    message = latest(report)

    assert "Nothing is wrong with what you entered." in message.text
    assert "failed" not in message.text.lower()
    assert not message.has_buttons


def test_the_next_retry_is_announced_while_servicetitan_is_down() -> None:
    assert "I'll try again <!date^" in latest(UNREACHABLE).text
    assert "A HeavySet engineer will take a look." in latest(UNKNOWN).text


def test_an_early_pass_says_there_is_nothing_else_to_enter() -> None:
    assert "ServiceTitan accepted all 5 credentials. Nothing else to enter." in latest(PASSED).text


def test_the_final_pass_says_that_setup_is_complete() -> None:
    assert "setup is complete" in messages(a_completed_onboarding())[-1].text


def test_a_pass_still_shows_an_optional_check_that_is_unknown() -> None:
    unknown_check = a_check(Outcome.UNKNOWN, title="Write permissions", required=False)
    report = PASSED.model_copy(update={"checks": (passed("token", "HTTP 200"), unknown_check)})

    assert "❔ couldn't tell · Write permissions" in latest(report).text


def test_an_older_result_still_says_who_it_was_for_and_why_it_failed() -> None:
    why = "A few permissions are missing. Write: Leads. Please check those boxes (step 6)."
    failed = a_check(Outcome.FAILED, title="Permissions").model_copy(update={"for_client": why})
    older, _ = older_and_newer(WRONG_SECRET.model_copy(update={"checks": (failed,)}))

    assert "Check 1 for <@" in older.text
    assert older.text.endswith("Permissions: A few permissions are missing. Write: Leads.")


@pytest.mark.parametrize("report", [PASSED, WRONG_SECRET, UNKNOWN])
def test_an_older_result_is_one_line_without_buttons(report: Report) -> None:
    older, newer = older_and_newer(report)

    assert "See the newer check below" in older.text
    assert len(older.blocks) == 1
    assert not buttons(older)
    assert (older.slot, newer.slot) == ("verification:1", "verification:2")


def test_an_older_result_keeps_its_metadata() -> None:
    payload = older_and_newer(WRONG_SECRET)[0].metadata["event_payload"]

    assert (payload["outcome"], payload["fields"]) == ("failed", ["client_secret"])


# --- the test booking, and what an engineer confirms ---

BOOKED = finding("test_booking", "booking_to_dismiss", "booking 500000001, New", **PLACEHOLDERS)
NOT_PROVED = finding("writes", "writes_not_proved", "Write Leads: look at step 6, column Write")


def with_checks(*checks: Check) -> Report:
    return PASSED.model_copy(update={"checks": (passed("token", "HTTP 200"), *checks)})


def test_a_test_booking_shows_its_number_and_where_to_dismiss_it() -> None:
    text = latest(with_checks(BOOKED)).text

    assert "✅ OK · Test booking: Our test booking (500000001, “TEST - please dismiss”)" in text
    assert "Calls → Bookings → the booking → Dismiss" in text


def test_an_engineer_can_confirm_unproven_write_permissions() -> None:
    message = latest(with_checks(NOT_PROVED))
    button = elements(message.blocks)["confirm_writes"]

    assert problems(message) == []
    assert button["value"] == f"{ONBOARDING_ID}:0"
    assert button["confirm"]["text"]["text"] == "Write Leads: look at step 6, column Write"


def test_confirmed_permissions_show_who_confirmed_them_and_no_button() -> None:
    onboarding = an_onboarding(at_step=23, report=with_checks(NOT_PROVED))

    confirmed = confirm_writes(onboarding, an_engineer(), NOW).onboarding
    message = messages(confirmed)[-1]

    assert f"✅ Write permissions: checked by <@{ENGINEER}>, <!date^" in message.text
    assert "confirm_writes" not in buttons(message)


def test_a_confirmation_carries_over_to_later_verifications() -> None:
    onboarding = an_onboarding(at_step=25, report=with_checks(NOT_PROVED))
    confirmed = confirm_writes(onboarding, an_engineer(), NOW).onboarding

    again = request_verification(confirmed, an_engineer(), NOW).onboarding
    message = messages(verified(again, with_checks(NOT_PROVED)))[-1]

    assert "checked by" in message.text
    assert "confirm_writes" not in buttons(message)
