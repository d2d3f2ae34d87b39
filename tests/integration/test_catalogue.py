"""The failure catalog as a table: what the client reads, what the engineer reads, what to do.

`pytest -s -k table tests/integration/test_catalogue.py` shows it.
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
from bot.verification.servicetitan import Credentials, ServiceTitan
from sandbox.servicetitan.server import ServiceTitanSandbox
from tests.builders import GUIDE
from tests.integration.catalogue import AWAY, CATALOGUE, Case, failing

NOTHING: Mapping[str, str] = {}
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

# Situations with an outcome other than “failed”, and the name of each.
OTHERS = [
    Case("our own request is wrong", "permissions", "unclear", arrange=failing("jobs", status=400)),
    Case(
        "a path that ServiceTitan does not know",
        "permissions",
        "unclear",
        arrange=lambda st: st.fail("leads", status=405),
    ),
]


@dataclass(frozen=True)
class Place:
    """Where a verification runs: the ServiceTitan sandbox, and a client for it."""

    st: ServiceTitanSandbox
    http: httpx.AsyncClient

    def client(self, **other: str) -> ServiceTitan:
        async def sleep(_seconds: float) -> None:
            pass

        urls = {"auth_url": self.st.auth_url, "api_url": self.st.api_url, **other}
        return ServiceTitan(Sender(self.http, policy=RetryPolicy(answer=0.3), sleep=sleep), **urls)

    async def report(
        self, client: ServiceTitan | None = None, values: Mapping[str, str] = NOTHING
    ) -> Report:
        secrets = {n: SecretStr(v) for n, v in {**self.st.credentials, **values}.items()}
        return await verify(GUIDE, client or self.client(), Credentials(**secrets), now=lambda: NOW)

    async def booking_report(self) -> Report:
        async def may_send() -> bool:
            return True

        secrets = {name: SecretStr(value) for name, value in self.st.credentials.items()}
        booking = Booking("heavyset-test-1-2", sent=False, may_send=may_send)
        return await verify(
            GUIDE, self.client(), Credentials(**secrets), now=lambda: NOW, booking=booking
        )


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with ServiceTitanSandbox(seed=2) as st, httpx.AsyncClient() as http:
        yield Place(st, http)


def check_of(report: Report, name: str) -> Check:
    [found] = [check for check in report.checks if check.id == name]
    return found


# --- the environments ---


async def test_credentials_from_the_other_environment_are_recognized(place: Place) -> None:
    async with ServiceTitanSandbox(seed=9) as integration:
        client = place.client(other_auth_url=integration.auth_url)

        report = await place.report(client, integration.credentials)

    token = check_of(report, "token")
    assert (report.outcome, token.cause) == (Outcome.FAILED, "other_environment")
    assert "sign in again at step 3" in token.for_client
    assert report.steps == (3, 5, 18, 19, 22)
    assert "booking_provider_id" not in report.fields


async def test_the_other_environment_is_asked_once_and_only_about_refused_values(
    place: Place,
) -> None:
    async with ServiceTitanSandbox(seed=9) as integration:
        client = place.client(other_auth_url=integration.auth_url)

        passed = await place.report(client)
        asked_before = len(integration.requests)
        integration.fail("token", status=503)
        failed = await place.report(client, {"client_secret": "cs1." + "0" * 50})

    assert (passed.outcome, asked_before) == (Outcome.PASSED, 0)
    assert check_of(failed, "token").cause == "invalid_client"
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

Ask = Callable[[Place], Awaitable[Report]]


async def unknown_host(place: Place) -> Report:
    return await place.report(place.client(auth_url="http://servicetitan.invalid"))


async def no_tls(place: Place) -> Report:
    return await place.report(place.client(auth_url=place.st.auth_url.replace("http:", "https:")))


async def nobody_there(place: Place) -> Report:
    return await place.report(place.client(auth_url="http://127.0.0.1:1"))


UNREACHABLE: list[tuple[str, Ask, str]] = [
    ("the host name is unknown (DNS)", unknown_host, "the host name could not be resolved"),
    ("no secure connection (TLS)", no_tls, "the secure connection (TLS) could not be made"),
    ("nobody answers at the address", nobody_there, "the connection failed"),
]


@pytest.mark.parametrize(("_name", "ask", "tells"), UNREACHABLE)
async def test_an_unreachable_servicetitan_is_not_reported_as_a_failure(
    _name: str, ask: Ask, tells: str, place: Place
) -> None:
    report = await ask(place)

    assert (report.outcome, report.retry) == (Outcome.UNKNOWN, True)
    assert tells in check_of(report, "token").for_engineer
    assert "nothing you entered" in check_of(report, "token").for_client


# --- not the client's problem ---


async def test_bookings_of_other_providers_are_never_requested(place: Place) -> None:
    await place.report()

    assert not [
        request for request in place.st.requests if request.template.endswith("{tenant}/bookings")
    ]


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.name)
async def test_our_own_mistakes_are_escalated_to_engineers(case: Case, place: Place) -> None:
    case.arrange(place.st)

    report = await place.report()

    assert (report.outcome, report.retry) == (Outcome.UNKNOWN, False)
    assert check_of(report, case.check).cause == case.cause
    assert "engineers will take a look" in check_of(report, case.check).for_client


# --- the table ---


Row = tuple[str, str, Report]  # what went wrong, the check at which it shows, the report


async def arranged(cases: Sequence[Case]) -> list[Row]:
    """The cases, each with its own ServiceTitan sandbox."""
    found: list[Row] = []
    for case in cases:
        async with ServiceTitanSandbox(seed=2) as st, httpx.AsyncClient() as http:
            case.arrange(st)
            found += [(case.name, case.check, await Place(st, http).report(values=case.values(st)))]
    return found


async def elsewhere(place: Place) -> list[Row]:
    """The values of the other environment."""
    async with ServiceTitanSandbox(seed=9) as integration:
        client = place.client(other_auth_url=integration.auth_url)
        report = await place.report(client, integration.credentials)
    return [("the values of the other environment", "token", report)]


async def away(place: Place) -> list[Row]:
    """Outages, rate limits, and an unreachable ServiceTitan."""
    found: list[Row] = []
    for endpoint, check, status, _cause, _tells in AWAY:
        place.st.fail(endpoint, status=status)
        found += [(f"{endpoint} answers {status}", check, await place.report())]
        place.st.heal()
    return found + [(name, "token", await ask(place)) for name, ask, _ in UNREACHABLE]


async def no_failures(place: Place) -> list[Row]:
    """Situations that need no action."""
    place.st.fail("business-units", status=401, times=1)
    expired = await place.report()
    place.st.claims = False
    return [
        ("the token expired meanwhile", "application_key", expired),
        ("the token tells no scopes", "writes", await place.report()),
    ]


async def bookings(place: Place) -> list[Row]:
    """The possible outcomes of a test booking."""
    found: list[Row] = []
    st = place.st
    situations: list[tuple[str, Callable[[], object]]] = [
        ("can be dismissed", lambda: None),
        ("cannot be dismissed", lambda: setattr(st, "dismiss_status", 404)),
        ("is answered 400", lambda: st.fail("create-booking", status=400, times=1)),
        ("is answered 502", lambda: st.fail("create-booking", status=502, times=1)),
        ("may not be written", lambda: setattr(st, "scopes", st.scopes - {"tn.crm.bookings:w"})),
    ]
    st.claims = False
    for name, arrange in situations:
        st.bookings.clear()
        arrange()
        found += [(f"a test booking {name}", "test_booking", await place.booking_report())]
    return found


async def test_every_row_of_the_failure_table_is_complete(place: Place) -> None:
    table = await arranged(CATALOGUE)
    for scene in (elsewhere, away, no_failures, bookings):
        table += await scene(place)
    table += await arranged(OTHERS)

    show("", "failure", "outcome", "the client reads", "the engineer reads", "steps", "enter again")
    show("", *["---"] * 6)
    for name, check_id, report in table:
        check = check_of(report, check_id)
        outcome = f"{check.outcome}: {check.cause}" if check.cause else str(check.outcome)
        steps, fields = ", ".join(map(str, report.steps)), ", ".join(report.fields)
        show("", name, outcome, check.for_client, check.for_engineer, steps or "–", fields or "–")

        assert check.for_client.endswith("."), name
        assert check.for_engineer, name
        assert bool(report.steps) == (report.outcome is Outcome.FAILED), name


def show(*cells: str) -> None:
    print(" | ".join(cells).strip(), "|")  # noqa: T201 (the table is to be seen)
