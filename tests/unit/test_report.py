"""What a report concludes: its outcome, the values to re-enter, the steps, and whether to retry."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from pydantic import ValidationError

from bot.onboarding.verification_report import Check, Outcome, Report
from bot.verification.findings import MEANINGS, TITLES, Finding
from tests.builders import CAUSES, GUIDE, PLACEHOLDERS, finding, passed

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
UNREACHABLE = a_check(Outcome.UNKNOWN, retry=True)
NOT_PROVED = a_check(Outcome.UNKNOWN, required=False)
NOT_CHECKED = a_check(Outcome.NOT_CHECKED)


def test_a_report_passes_when_all_required_checks_passed() -> None:
    assert a_report(PASSED, PASSED, NOT_PROVED).outcome is Outcome.PASSED


@pytest.mark.parametrize("checks", list(permutations([PASSED, FAILED, UNREACHABLE, NOT_CHECKED])))
def test_one_failed_check_is_enough_to_fail_the_report(checks: tuple[Check, ...]) -> None:
    assert a_report(*checks).outcome is Outcome.FAILED


def test_an_unknown_required_check_makes_the_report_unknown() -> None:
    assert a_report(PASSED, UNKNOWN).outcome is Outcome.UNKNOWN


def test_a_check_that_did_not_run_does_not_count_as_passed() -> None:
    assert a_report(PASSED, NOT_CHECKED).outcome is Outcome.UNKNOWN


def test_a_report_without_checks_has_not_passed() -> None:
    assert a_report().outcome is Outcome.UNKNOWN


def test_fields_and_steps_are_listed_without_duplicates() -> None:
    report = a_report(
        a_check(Outcome.FAILED, fields=("application_key", "tenant_id"), steps=(22, 18)),
        a_check(Outcome.FAILED, fields=("tenant_id", "booking_provider_id"), steps=(18, 11)),
    )

    assert report.fields == ("application_key", "tenant_id", "booking_provider_id")
    assert report.steps == (11, 18, 22)


def test_only_failed_checks_ask_for_values_to_be_reentered() -> None:
    report = a_report(FAILED, a_check(Outcome.UNKNOWN, fields=("tenant_id",), steps=(18,)))

    assert (report.fields, report.steps) == (("client_secret",), (19,))


@pytest.mark.parametrize(
    ("checks", "retry"),
    [
        ((PASSED, UNREACHABLE), True),
        ((PASSED, UNKNOWN), False),
        ((FAILED, UNREACHABLE), False),  # somebody has to fix something first
        ((PASSED,), False),
    ],
)
def test_a_report_is_retried_only_when_waiting_may_help(
    checks: tuple[Check, ...], retry: bool
) -> None:
    assert a_report(*checks).retry is retry


def test_a_report_survives_a_json_round_trip() -> None:
    report = a_report(PASSED, FAILED, UNREACHABLE, NOT_PROVED)

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
def test_every_wording_is_a_short_sentence_without_placeholders(cause: str) -> None:
    check = finding("token", cause, "HTTP 400", **PLACEHOLDERS)

    assert check.for_client.endswith(".")
    assert len(check.for_client) <= 320
    assert "{" not in check.for_client


@pytest.mark.parametrize("cause", CAUSES)
def test_a_failure_points_to_a_step_that_its_wording_names(cause: str) -> None:
    check = finding("token", cause, "HTTP 400", **PLACEHOLDERS)

    if check.outcome is not Outcome.FAILED or cause == "malformed":
        assert (check.fields, check.steps) == ((), ())
    else:
        assert check.steps
        assert any(f" {step}" in check.for_client for step in check.steps)
    assert set(check.fields) <= {field.id for field in GUIDE.credentials}


@pytest.mark.parametrize("cause", [name for name in MEANINGS if MEANINGS[name].retry])
def test_an_outage_is_never_blamed_on_the_values(cause: str) -> None:
    assert "It's nothing you entered." in MEANINGS[cause].for_client


def test_a_malformed_value_points_to_the_step_where_it_is_found() -> None:
    problems = {"application_key": "it is missing", "tenant_id": "it is missing"}
    check = Finding("shape", "not sent", "malformed", problems=problems).check_of(GUIDE)

    assert check.steps == (18, 22)
    assert "Application Key (it is missing, step 22)" in check.for_client


@pytest.mark.parametrize("check_id", [name for name in TITLES if name != "test_booking"])
def test_every_check_has_wording_for_a_pass(check_id: str) -> None:
    check = passed(check_id, "HTTP 200")

    title = TITLES[check_id].format(all="All five")
    assert (check.id, check.title, check.outcome) == (check_id, title, Outcome.PASSED)
    assert check.for_client.endswith(".")
