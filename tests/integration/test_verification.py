"""Verification over real HTTP: every failure in the catalog produces its own finding."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from bot.onboarding.verification_report import Check, Outcome, Report
from bot.verification import verify
from bot.verification.access import Access
from bot.verification.sender import RetryPolicy, Sender
from bot.verification.servicetitan import ServiceTitan
from bot.verification.servicetitan.endpoints import BUSINESS_UNITS, READS, WRITE_SCOPES
from bot.verification.servicetitan.errors import Unauthorized
from sandbox.servicetitan.endpoints import READS as SANDBOX_READS
from sandbox.servicetitan.faults import FaultKind
from sandbox.servicetitan.server import ServiceTitanSandbox
from tests.builders import GUIDE
from tests.integration.catalog import CASES, OUTAGES, Case, with_tag_scope

STARTED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
# The app silences these: httpx logs URLs at INFO, and httpcore logs headers at DEBUG.
NOISY_LOGGERS = ("httpx", "httpcore")


@pytest.fixture
async def st() -> AsyncIterator[ServiceTitanSandbox]:
    async with ServiceTitanSandbox(seed=2) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def servicetitan(http: httpx.AsyncClient, st: ServiceTitanSandbox) -> ServiceTitan:
    return make_client(http, st, RetryPolicy())


@pytest.fixture
def short_timeout(http: httpx.AsyncClient, st: ServiceTitanSandbox) -> ServiceTitan:
    """A client with a short response timeout."""
    return make_client(http, st, RetryPolicy(answer=0.2))


def make_client(
    http: httpx.AsyncClient, st: ServiceTitanSandbox, retry: RetryPolicy
) -> ServiceTitan:
    async def sleep(_seconds: float) -> None:
        pass

    return ServiceTitan(
        Sender(http, policy=retry, sleep=sleep), auth_url=st.auth_url, api_url=st.api_url
    )


def ticking_clock() -> Callable[[], datetime]:
    """A clock that advances by 10 ms each time it is read."""
    ticks = iter(range(10**6))
    return lambda: STARTED + timedelta(milliseconds=10 * next(ticks))


def credentials(st: ServiceTitanSandbox, **other: str) -> dict[str, SecretStr]:
    values = {**st.credentials, **other}
    return {name: SecretStr(value) for name, value in values.items()}


def hold_reads(number: int) -> Callable[[str], Awaitable[None]]:
    """Hold all reads until `number` of them have arrived."""
    arrived = 0
    complete = asyncio.Event()

    async def gate(endpoint: str) -> None:
        nonlocal arrived
        if endpoint != "token":
            arrived += 1
            if arrived == number:
                complete.set()
            await complete.wait()

    return gate


async def run_verification(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox, **other: str
) -> Report:
    return await verify(GUIDE, servicetitan, credentials(st, **other), now=ticking_clock())


def by_id(report: Report) -> dict[str, Check]:
    return {check.id: check for check in report.checks}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_failure_in_the_catalog_produces_its_own_finding(
    case: Case, servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    case.setup(st)

    report = await run_verification(servicetitan, st, **case.values(st))
    check = by_id(report)[case.check]

    assert (check.outcome, check.cause) == (case.outcome, case.cause)
    assert (check.fields, check.steps) == (case.fields, case.steps)
    assert case.for_client in check.for_client
    assert case.for_engineer in check.for_engineer
    assert report.outcome is Outcome.FAILED
    assert report.retry is False
    assert set(case.fields) <= set(report.fields)
    assert set(case.steps) <= set(report.steps)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_one_mistake_asks_only_for_its_own_fix(
    case: Case, servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    case.setup(st)

    report = await run_verification(servicetitan, st, **case.values(st))
    failed = [check for check in report.checks if check.outcome is Outcome.FAILED]

    # If the tag can be checked, a missing provider fails two checks, with the same remedy.
    assert {check.id for check in failed} in ({case.check}, {"booking_provider", case.check})
    assert report.fields == case.fields


@pytest.mark.parametrize(("endpoint", "check_id", "status", "cause", "for_engineer"), OUTAGES)
async def test_a_check_that_cannot_complete_is_unknown_and_blames_no_value(
    endpoint: str,
    check_id: str,
    status: FaultKind,
    cause: str,
    for_engineer: str,
    short_timeout: ServiceTitan,
    st: ServiceTitanSandbox,
) -> None:
    st.fail(endpoint, status=status)

    report = await run_verification(short_timeout, st)
    check = by_id(report)[check_id]

    assert (check.outcome, check.cause) == (Outcome.UNKNOWN, cause)
    assert for_engineer in check.for_engineer
    assert "nothing you entered" in check.for_client
    assert (report.outcome, report.retry) == (Outcome.UNKNOWN, True)
    assert (report.fields, report.steps) == ((), ())


async def test_correct_values_pass_with_each_of_the_reads_called_once(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    report = await run_verification(servicetitan, st)

    assert report.outcome is Outcome.PASSED
    assert {check.outcome for check in report.checks} == {Outcome.PASSED}
    assert [request.template for request in st.requests][:2] == [
        "/connect/token",
        "/settings/v2/tenant/{tenant}/business-units",
    ]
    paths = [request.template for request in st.requests[1:]]
    assert sorted(paths) == sorted(read.template.partition("?")[0] for read in READS)


async def test_all_reads_run_concurrently(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    with_tag_scope(st)
    count = len(READS) + 1
    st.guard(hold_reads(count))

    report = await run_verification(servicetitan, st)

    assert report.outcome is Outcome.PASSED
    assert len(st.requests) == 1 + count


@pytest.mark.parametrize(
    ("wrong", "requests"),
    [
        ({"tenant_id": ""}, []),
        ({"client_secret": "cs1.wrong"}, ["/connect/token"]),
        ({"tenant_id": "1029384756"}, ["/connect/token"]),
    ],
)
async def test_no_requests_follow_a_conclusive_failure(
    wrong: dict[str, str],
    requests: list[str],
    servicetitan: ServiceTitan,
    st: ServiceTitanSandbox,
) -> None:
    report = await run_verification(servicetitan, st, **wrong)

    assert [request.template for request in st.requests] == requests
    outcomes = [check.outcome for check in report.checks]
    first_failure = outcomes.index(Outcome.FAILED)
    assert set(outcomes[:first_failure]) <= {Outcome.PASSED}
    assert set(outcomes[first_failure + 1 :]) == {Outcome.NOT_CHECKED}


async def test_only_the_first_read_is_retried_during_an_api_outage(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.guard(hold_reads(len(READS)))
    for read in SANDBOX_READS:
        st.fail(read, status=503)

    report = await run_verification(servicetitan, st)

    counts = Counter(request.template for request in st.requests)
    first = counts.pop(BUSINESS_UNITS.template.partition("?")[0])
    assert (first, set(counts.values())) == (3, {1})
    unchecked = [check.id for check in report.checks if check.outcome is Outcome.NOT_CHECKED]
    assert unchecked == ["permissions", "writes", "booking_provider"]


async def test_each_read_is_retried_after_a_brief_failure(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    for read in ("business-units", "customers", "leads"):
        st.fail(read, status=503, times=2)

    report = await run_verification(servicetitan, st)

    assert report.outcome is Outcome.PASSED
    assert len(st.requests) == 1 + len(READS) + 3 * 2


async def test_a_wrong_key_is_found_without_repeating_the_other_reads(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.guard(hold_reads(len(READS)))

    report = await run_verification(servicetitan, st, application_key="ak1.wrong")

    assert by_id(report)["permissions"].outcome is Outcome.NOT_CHECKED
    # All reads with the first token, and the first one again with a new token.
    assert Counter(request.template for request in st.requests)["/connect/token"] == 2
    assert len(st.requests) == 2 + len(READS) + 1


async def test_without_token_claims_write_scopes_are_left_to_an_engineer(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.claims = False

    report = await run_verification(servicetitan, st)
    checks = by_id(report)

    assert report.outcome is Outcome.PASSED
    assert checks["permissions"].outcome is Outcome.PASSED
    for name in ("tenant", "writes"):
        assert (checks[name].outcome, checks[name].required) == (Outcome.UNKNOWN, False)
    assert "a HeavySet engineer will check it" in checks["writes"].for_client
    for label in WRITE_SCOPES:
        assert label in checks["writes"].for_engineer


async def test_a_scope_with_a_different_name_is_not_reported_as_missing(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    leads = {"tn.crm.leads:r", "tn.crm.leads:w"}
    st.scopes = (st.scopes - leads) | {"tn.crm.prospects:r", "tn.crm.prospects:w"}
    st.fail("leads", status=200, times=1)  # the read still works

    report = await run_verification(servicetitan, st)
    checks = by_id(report)

    assert report.outcome is Outcome.PASSED
    assert checks["writes"].cause == "writes_not_proved"
    assert "Write Leads" in checks["writes"].for_engineer


async def test_a_wrong_provider_is_not_reported_as_a_missing_permission(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    report = await run_verification(servicetitan, st, booking_provider_id="1")

    assert by_id(report)["permissions"].cause == "bookings_open"
    assert report.fields == ("booking_provider_id",)


async def test_a_missing_bookings_permission_does_not_blame_the_provider(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.scopes -= {"tn.crm.bookings:r"}

    report = await run_verification(servicetitan, st)

    assert by_id(report)["booking_provider"].outcome is Outcome.NOT_CHECKED
    assert report.fields == ()


async def test_the_provider_tag_is_checked_only_if_the_token_allows_it(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    without_scope = await run_verification(servicetitan, st)
    with_tag_scope(st)
    with_scope = await run_verification(servicetitan, st)

    assert "booking_provider_tag" not in by_id(without_scope)
    assert by_id(with_scope)["booking_provider_tag"].outcome is Outcome.PASSED


async def test_an_unavailable_provider_tag_does_not_fail_the_verification(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    with_tag_scope(st)
    st.fail("booking-provider-tags", status=500)

    report = await run_verification(servicetitan, st)

    assert by_id(report)["booking_provider_tag"].outcome is Outcome.UNKNOWN
    assert report.outcome is Outcome.PASSED


async def test_a_bad_request_of_ours_is_not_blamed_on_the_client(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.fail("customers", status=400)

    report = await run_verification(servicetitan, st)

    assert by_id(report)["permissions"].cause == "unclear"
    assert (report.outcome, report.retry) == (Outcome.UNKNOWN, False)


async def test_an_expired_token_is_replaced_transparently(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.fail("business-units", status=401, times=1)

    report = await run_verification(servicetitan, st)

    assert report.outcome is Outcome.PASSED
    assert [request.template for request in st.requests].count("/connect/token") == 2


async def test_several_refused_reads_share_one_new_token(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    for endpoint in ("customers", "leads", "jobs"):
        st.fail(endpoint, status=401, times=1)

    report = await run_verification(servicetitan, st)

    assert report.outcome is Outcome.PASSED
    assert [request.template for request in st.requests].count("/connect/token") == 2


async def test_a_token_is_replaced_no_more_than_once_in_a_run(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.fail("business-units", status=401, times=1)
    st.fail("customers", status=401)

    report = await run_verification(servicetitan, st)

    assert by_id(report)["permissions"].cause == "unclear"
    assert [request.template for request in st.requests].count("/connect/token") == 2


async def test_a_later_request_of_a_run_does_not_replace_the_token_again(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    """A test booking makes its requests one after the other."""
    access = Access(servicetitan, credentials(st), ticking_clock())
    await access.begin()
    st.fail("business-units", status=401, times=1)
    await access.get(BUSINESS_UNITS)

    st.fail("business-units", status=401)
    with pytest.raises(Unauthorized):
        await access.get(BUSINESS_UNITS)

    assert [request.template for request in st.requests].count("/connect/token") == 2


async def test_a_secret_replaced_during_a_run_is_detected(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    values = credentials(st)
    st.fail("business-units", status=401, times=1)
    clock = ticking_clock()

    def now() -> datetime:
        if len(st.requests) == 1:  # the token is there, the first probe is about to begin
            st.regenerate_secret()
        return clock()

    report = await verify(GUIDE, servicetitan, values, now=now)

    assert by_id(report)["application_key"].cause == "invalid_client"
    assert report.fields == ("client_id", "client_secret")


async def test_the_report_records_start_time_duration_and_environment(
    servicetitan: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    report = await run_verification(servicetitan, st)

    assert report.started_at == STARTED
    assert report.duration_ms >= 10 * 2 * 9
    assert report.environment == "127.0.0.1"
    assert Report.model_validate_json(report.model_dump_json()) == report


@pytest.mark.parametrize(
    "case",
    [Case("all is well", "shape", ""), *CASES],
    ids=lambda case: case.name,
)
async def test_values_and_records_never_appear_in_the_report_or_the_logs(
    case: Case,
    servicetitan: ServiceTitan,
    st: ServiceTitanSandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in NOISY_LOGGERS:
        caplog.set_level(logging.WARNING, logger=name)
    caplog.set_level(logging.DEBUG)
    case.setup(st)
    wrong = case.values(st)

    report = await run_verification(servicetitan, st, **wrong)

    logged = "".join(
        f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records
    )
    written = f"{logged} {report!r} {report.model_dump_json()}"
    # A value as short as "1" would be found in any text.
    values = {value for value in {**st.credentials, **wrong}.values() if len(value) > 1}
    for value in [*values, "Jane Roe", "John Doe"]:
        assert value not in written


async def test_an_outage_leaves_no_value_in_the_report_or_in_any_log_line(
    short_timeout: ServiceTitan, st: ServiceTitanSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    for name in NOISY_LOGGERS:
        caplog.set_level(logging.WARNING, logger=name)
    caplog.set_level(logging.DEBUG)
    written = ""
    for endpoint, _, status, _, _ in OUTAGES:
        st.fail(endpoint, status=status)
        report = await run_verification(short_timeout, st)
        written += f"{report!r} {report.model_dump_json()}"
        st.heal()

    written += caplog.text
    for value in st.credentials.values():
        assert value not in written
