"""A report's own conclusions: its outcome, the values to enter again, the steps, and retrying."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from pydantic import ValidationError

from bot.onboarding.verification_report import Check, Outcome, Report
from bot.verification.findings import MEANINGS, TITLES, Finding
from tests.builders import CAUSES, GUIDE, WORDS, found, passed

STARTED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def a_check(
    outcome: Outcome,
    *,
    fields: tuple[str, ...] = (),
    steps: tuple[int, ...] = (),
    required: bool = True,
    retry: bool = False,
) -> Check:
    return Check(
        id="token",
        title="Client ID and Client Secret",
        outcome=outcome,
        for_client="For you.",
        for_engineer="HTTP 400, 12 ms",
        fields=fields,
        steps=steps,
        required=required,
        retry=retry,
    )


def a_report(*checks: Check) -> Report:
    return Report(checks=checks, started_at=STARTED, duration_ms=812, environment="production")


PASSED = a_check(Outcome.PASSED)
FAILED = a_check(Outcome.FAILED, fields=("client_secret",), steps=(19,))
UNKNOWN = a_check(Outcome.UNKNOWN)
AWAY = a_check(Outcome.UNKNOWN, retry=True)
NOT_PROVED = a_check(Outcome.UNKNOWN, required=False)
NOT_CHECKED = a_check(Outcome.NOT_CHECKED)


def test_a_report_passes_when_all_that_is_required_passed() -> None:
    assert a_report(PASSED, PASSED, NOT_PROVED).outcome is Outcome.PASSED


@pytest.mark.parametrize("checks", list(permutations([PASSED, FAILED, AWAY, NOT_CHECKED])))
def test_one_failure_fails_the_report_whatever_else_it_holds(checks: tuple[Check, ...]) -> None:
    assert a_report(*checks).outcome is Outcome.FAILED


def test_a_required_check_left_open_leaves_the_report_open() -> None:
    assert a_report(PASSED, UNKNOWN).outcome is Outcome.UNKNOWN


def test_what_was_not_checked_has_not_passed() -> None:
    assert a_report(PASSED, NOT_CHECKED).outcome is Outcome.UNKNOWN


def test_a_report_without_checks_has_not_passed() -> None:
    assert a_report().outcome is Outcome.UNKNOWN


def test_fields_and_steps_come_once() -> None:
    report = a_report(
        a_check(Outcome.FAILED, fields=("application_key", "tenant_id"), steps=(22, 18)),
        a_check(Outcome.FAILED, fields=("tenant_id", "booking_provider_id"), steps=(18, 11)),
    )

    assert report.fields == ("application_key", "tenant_id", "booking_provider_id")
    assert report.steps == (11, 18, 22)


def test_only_what_failed_is_to_be_entered_again() -> None:
    report = a_report(FAILED, a_check(Outcome.UNKNOWN, fields=("tenant_id",), steps=(18,)))

    assert (report.fields, report.steps) == (("client_secret",), (19,))


@pytest.mark.parametrize(
    ("checks", "retry"),
    [
        ((PASSED, AWAY), True),
        ((PASSED, UNKNOWN), False),
        ((FAILED, AWAY), False),  # somebody has to fix something first
        ((PASSED,), False),
    ],
)
def test_a_report_is_tried_again_only_when_waiting_may_help(
    checks: tuple[Check, ...], retry: bool
) -> None:
    assert a_report(*checks).retry is retry


def test_a_report_survives_the_way_through_json() -> None:
    report = a_report(PASSED, FAILED, AWAY, NOT_PROVED)

    again = Report.model_validate_json(report.model_dump_json())

    assert again == report
    assert (again.outcome, again.fields, again.steps) == (Outcome.FAILED, ("client_secret",), (19,))


def test_a_report_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        Report(
            checks=(),
            started_at=datetime(2026, 11, 23, 9, 30),  # noqa: DTZ001 (that is the point)
            duration_ms=1,
            environment="production",
        )


@pytest.mark.parametrize("cause", CAUSES)
def test_every_wording_is_a_kind_of_sentence_a_phone_can_show(cause: str) -> None:
    check = found("token", cause, "HTTP 400", **WORDS)

    assert check.for_client.endswith(".")
    assert len(check.for_client) <= 320
    assert "{" not in check.for_client


@pytest.mark.parametrize("cause", CAUSES)
def test_a_failure_leads_back_to_steps_that_its_wording_names(cause: str) -> None:
    check = found("token", cause, "HTTP 400", **WORDS)

    if check.outcome is not Outcome.FAILED or cause == "malformed":
        assert (check.fields, check.steps) == ((), ())
    else:
        assert check.steps
        assert any(f" {step}" in check.for_client for step in check.steps)
    assert set(check.fields) <= {field.id for field in GUIDE.credentials}


@pytest.mark.parametrize("cause", [name for name in MEANINGS if MEANINGS[name].retry])
def test_an_outage_is_never_put_on_the_values(cause: str) -> None:
    assert "It's nothing you entered." in MEANINGS[cause].for_client


def test_a_value_that_cannot_be_right_leads_to_the_step_that_shows_it() -> None:
    problems = {"application_key": "it is missing", "tenant_id": "it is missing"}
    check = Finding("shape", "not sent", "malformed", problems=problems).check_of(GUIDE)

    assert check.steps == (18, 22)
    assert "Application Key (it is missing, step 22)" in check.for_client


@pytest.mark.parametrize("check_id", [name for name in TITLES if name != "test_booking"])
def test_every_check_can_be_said_to_have_passed(check_id: str) -> None:
    check = passed(check_id, "HTTP 200")

    title = TITLES[check_id].format(all="All five")
    assert (check.id, check.title, check.outcome) == (check_id, title, Outcome.PASSED)
    assert check.for_client.endswith(".")
