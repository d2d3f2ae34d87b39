"""The failure catalog as a table: what the client reads, what the engineer reads, what to do.

`pytest -s -k table tests/integration/test_catalog.py` shows it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from bot.onboarding.verification_report import Check, Outcome, Report
from bot.verification import Booking, verify
from bot.verification.sender import RetryPolicy, Sender
from bot.verification.servicetitan import ServiceTitan
from sandbox.servicetitan.server import ServiceTitanSandbox
from tests.builders import GUIDE
from tests.integration.catalog import CASES, OUTAGES, Case, failing

NO_CHANGES: Mapping[str, str] = {}
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

# Failures that aren't the client's fault.
UNCLEAR_CASES = [
    Case("our own request is wrong", "permissions", "unclear", setup=failing("jobs", status=400)),
    Case(
        "a path that ServiceTitan does not know",
        "permissions",
        "unclear",
        setup=lambda st: st.fail("leads", status=405),
    ),
]


@dataclass(frozen=True)
class Verifier:
    """Verifies credentials with the ServiceTitan sandbox."""

    st: ServiceTitanSandbox
    http: httpx.AsyncClient

    def client(self, **other: str) -> ServiceTitan:
        async def sleep(_seconds: float) -> None:
            pass

        urls = {"auth_url": self.st.auth_url, "api_url": self.st.api_url, **other}
        return ServiceTitan(Sender(self.http, policy=RetryPolicy(answer=0.3), sleep=sleep), **urls)

    async def report(
        self, client: ServiceTitan | None = None, values: Mapping[str, str] = NO_CHANGES
    ) -> Report:
        entered = {**self.st.credentials, **values}
        secrets = {name: SecretStr(value) for name, value in entered.items()}
        return await verify(GUIDE, client or self.client(), secrets, now=lambda: NOW)

    async def booking_report(self) -> Report:
        async def may_send() -> bool:
            return True

        secrets = {name: SecretStr(value) for name, value in self.st.credentials.items()}
        booking = Booking("heavyset-test-1-2", sent=False, may_send=may_send)
        return await verify(GUIDE, self.client(), secrets, now=lambda: NOW, booking=booking)


@pytest.fixture
async def verifier() -> AsyncIterator[Verifier]:
    async with ServiceTitanSandbox(seed=2) as st, httpx.AsyncClient() as http:
        yield Verifier(st, http)


def get_check(report: Report, name: str) -> Check:
    [found] = [check for check in report.checks if check.id == name]
    return found


# --- the environments ---


async def test_credentials_from_the_other_environment_are_recognized(verifier: Verifier) -> None:
    async with ServiceTitanSandbox(seed=9) as integration:
        client = verifier.client(other_auth_url=integration.auth_url)

        report = await verifier.report(client, integration.credentials)

    token = get_check(report, "token")
    assert (report.outcome, token.cause) == (Outcome.FAILED, "other_environment")
    assert "sign in again at step 3" in token.for_client
    assert report.steps == (3, 5, 18, 19, 22)
    assert "booking_provider_id" not in report.fields


async def test_the_other_environment_is_asked_once_and_only_about_refused_values(
    verifier: Verifier,
) -> None:
    async with ServiceTitanSandbox(seed=9) as integration:
        client = verifier.client(other_auth_url=integration.auth_url)

        passed = await verifier.report(client)
        asked_before = len(integration.requests)
        integration.fail("token", status=503)
        failed = await verifier.report(client, {"client_secret": "cs1." + "0" * 50})

    assert (passed.outcome, asked_before) == (Outcome.PASSED, 0)
    assert get_check(failed, "token").cause == "invalid_client"
    assert len(integration.requests) == 1


@pytest.mark.parametrize(
    ("host", "other"),
    [
        ("auth.servicetitan.io", "auth-integration.servicetitan.io"),
        ("auth-integration.servicetitan.io", "auth.servicetitan.io"),
    ],
)
async def test_production_and_integration_are_each_others_other_environment(
    host: str, other: str
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(400, json={"error": "invalid_client"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = ServiceTitan(
            Sender(http), auth_url=f"https://{host}", api_url="https://api.example"
        )
        await client.other_environment(SecretStr("cid.x"), SecretStr("cs1.x"))

    assert asked == [other]


# --- ServiceTitan is unreachable ---

Attempt = Callable[[Verifier], Awaitable[Report]]


async def unknown_host(verifier: Verifier) -> Report:
    return await verifier.report(verifier.client(auth_url="http://servicetitan.invalid"))


async def no_tls(verifier: Verifier) -> Report:
    https = verifier.st.auth_url.replace("http:", "https:")
    return await verifier.report(verifier.client(auth_url=https))


async def connection_refused(verifier: Verifier) -> Report:
    return await verifier.report(verifier.client(auth_url="http://127.0.0.1:1"))


UNREACHABLE: list[tuple[str, Attempt, str]] = [
    ("the host name is unknown (DNS)", unknown_host, "the host name could not be resolved"),
    ("no secure connection (TLS)", no_tls, "the secure connection (TLS) could not be made"),
    ("the connection is refused", connection_refused, "the connection failed"),
]


@pytest.mark.parametrize(("_name", "attempt", "tells"), UNREACHABLE)
async def test_an_unreachable_servicetitan_is_not_reported_as_a_failure(
    _name: str, attempt: Attempt, tells: str, verifier: Verifier
) -> None:
    report = await attempt(verifier)

    assert (report.outcome, report.retry) == (Outcome.UNKNOWN, True)
    assert tells in get_check(report, "token").for_engineer
    assert "nothing you entered" in get_check(report, "token").for_client


# --- not the client's problem ---


async def test_bookings_of_other_providers_are_never_requested(verifier: Verifier) -> None:
    await verifier.report()

    assert not [
        request
        for request in verifier.st.requests
        if request.template.endswith("{tenant}/bookings")
    ]


@pytest.mark.parametrize("case", UNCLEAR_CASES, ids=lambda case: case.name)
async def test_our_own_mistakes_are_escalated_to_engineers(case: Case, verifier: Verifier) -> None:
    case.setup(verifier.st)

    report = await verifier.report()

    assert (report.outcome, report.retry) == (Outcome.UNKNOWN, False)
    assert get_check(report, case.check).cause == case.cause
    assert "engineers will take a look" in get_check(report, case.check).for_client


# --- the table ---


Row = tuple[str, str, Report]  # what went wrong, the check that shows it, the report


async def case_rows(cases: Sequence[Case]) -> list[Row]:
    """The rows of these cases, each with its own ServiceTitan sandbox."""
    found: list[Row] = []
    for case in cases:
        async with ServiceTitanSandbox(seed=2) as st, httpx.AsyncClient() as http:
            case.setup(st)
            report = await Verifier(st, http).report(values=case.values(st))
            found += [(case.name, case.check, report)]
    return found


async def other_environment_rows(verifier: Verifier) -> list[Row]:
    """The values of the other environment."""
    async with ServiceTitanSandbox(seed=9) as integration:
        client = verifier.client(other_auth_url=integration.auth_url)
        report = await verifier.report(client, integration.credentials)
    return [("the values of the other environment", "token", report)]


async def outage_rows(verifier: Verifier) -> list[Row]:
    """Outages, rate limits, and an unreachable ServiceTitan."""
    found: list[Row] = []
    for endpoint, check, status, _cause, _tells in OUTAGES:
        verifier.st.fail(endpoint, status=status)
        found += [(f"{endpoint} answers {status}", check, await verifier.report())]
        verifier.st.heal()
    return found + [(name, "token", await attempt(verifier)) for name, attempt, _ in UNREACHABLE]


async def harmless_rows(verifier: Verifier) -> list[Row]:
    """Situations that need no action."""
    verifier.st.fail("business-units", status=401, times=1)
    expired = await verifier.report()
    verifier.st.claims = False
    return [
        ("the token expired in the meantime", "application_key", expired),
        ("the token lists no scopes", "writes", await verifier.report()),
    ]


async def booking_rows(verifier: Verifier) -> list[Row]:
    """The possible outcomes of a test booking."""
    found: list[Row] = []
    st = verifier.st
    situations: list[tuple[str, Callable[[], object]]] = [
        ("can be dismissed", lambda: None),
        ("cannot be dismissed", lambda: setattr(st, "dismiss_status", 404)),
        ("is answered 400", lambda: st.fail("create-booking", status=400, times=1)),
        ("is answered 502", lambda: st.fail("create-booking", status=502, times=1)),
        ("lacks its scope", lambda: setattr(st, "scopes", st.scopes - {"tn.crm.bookings:w"})),
    ]
    st.claims = False
    for name, setup in situations:
        st.bookings.clear()
        setup()
        found += [(f"a test booking {name}", "test_booking", await verifier.booking_report())]
    return found


async def test_every_row_of_the_failure_table_is_complete(verifier: Verifier) -> None:
    table = await case_rows(CASES)
    for get_rows in (other_environment_rows, outage_rows, harmless_rows, booking_rows):
        table += await get_rows(verifier)
    table += await case_rows(UNCLEAR_CASES)

    print_row(
        "", "failure", "outcome", "the client reads", "the engineer reads", "steps", "enter again"
    )
    print_row("", *["---"] * 6)
    for name, check_id, report in table:
        check = get_check(report, check_id)
        outcome = f"{check.outcome}: {check.cause}" if check.cause else str(check.outcome)
        steps, fields = ", ".join(map(str, report.steps)), ", ".join(report.fields)
        print_row(
            "", name, outcome, check.for_client, check.for_engineer, steps or "–", fields or "–"
        )

        assert check.for_client.endswith("."), name
        assert check.for_engineer, name
        assert bool(report.steps) == (report.outcome is Outcome.FAILED), name


def print_row(*cells: str) -> None:
    print(" | ".join(cells).strip(), "|")  # noqa: T201 (the table is to be seen)
