"""The test booking over real HTTP: made at most once, found again, dismissed."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest
from pydantic import SecretStr

from bot.onboarding.verification_report import Check, Outcome, Report
from bot.verification import Booking, verify
from bot.verification.sender import RetryPolicy, Sender
from bot.verification.servicetitan import ServiceTitan
from sandbox.servicetitan.faults import FaultKind, Odd
from sandbox.servicetitan.server import ServiceTitanSandbox
from tests.builders import GUIDE

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
EXTERNAL_ID = "heavyset-test-0123456789abcdef-2"


@pytest.fixture
async def st() -> AsyncIterator[ServiceTitanSandbox]:
    async with ServiceTitanSandbox(seed=2) as running:
        yield running


class Engineer:
    """Someone who runs test bookings; once a booking is recorded as sent, it stays recorded."""

    def __init__(self, st: ServiceTitanSandbox) -> None:
        self.st = st
        self.http = httpx.AsyncClient(event_hooks={"request": [self.record_request]})
        self.posts: list[str] = []  # the paths of the attempts to make a booking
        self.searches_are_filtered = True
        self.recorded = False
        self.may_book = True
        self.posts_before_recording: list[int] = []
        self.servicetitan = ServiceTitan(
            Sender(self.http, policy=RetryPolicy(answer=0.3), sleep=self.sleep),
            auth_url=st.auth_url,
            api_url=st.api_url,
        )

    async def sleep(self, _seconds: float) -> None:
        pass

    async def record_request(self, request: httpx.Request) -> None:
        if request.method == "POST" and request.url.path.endswith("/bookings"):
            self.posts.append(request.url.path)
        if not self.searches_are_filtered and "externalId" in request.url.params:
            request.url = request.url.copy_remove_param("externalId")

    async def may_send(self) -> bool:
        self.posts_before_recording.append(len(self.posts))
        if self.recorded or not self.may_book:
            return False
        self.recorded = True
        return True

    async def verify(self, now: Callable[[], datetime] = lambda: NOW) -> Report:
        values = {name: SecretStr(value) for name, value in self.st.credentials.items()}
        return await verify(
            GUIDE,
            self.servicetitan,
            values,
            now=now,
            booking=Booking(EXTERNAL_ID, sent=self.recorded, may_send=self.may_send),
        )


@pytest.fixture
async def erin(st: ServiceTitanSandbox) -> AsyncIterator[Engineer]:
    erin = Engineer(st)
    async with erin.http:
        yield erin


def get_check(report: Report, name: str = "test_booking") -> Check:
    [found] = [check for check in report.checks if check.id == name]
    return found


async def test_a_booking_is_made_found_and_dismissed(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    report = await erin.verify()

    [booking] = st.bookings
    assert report.outcome is Outcome.PASSED
    assert (get_check(report).outcome, get_check(report).cause) == (
        Outcome.PASSED,
        "booking_dismissed",
    )
    assert str(booking.id) in get_check(report).for_client
    assert f"booking {booking.id} ({EXTERNAL_ID}), Dismissed" in get_check(report).for_engineer
    assert (booking.status, booking.dismissing_memo) == ("Dismissed", "Test by HeavySet Tech")


async def test_a_test_booking_cannot_be_mistaken_for_a_customers(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    await erin.verify()

    [sent] = [booking.sent for booking in st.bookings]
    assert sent["name"] == "TEST - please dismiss"
    assert sent["externalId"] == EXTERNAL_ID
    assert sent["isSendConfirmationEmail"] is False
    assert datetime.fromisoformat(sent["start"]) == datetime(2026, 11, 30, 9, tzinfo=UTC)
    contacts = {contact["type"]: contact["value"] for contact in sent["contacts"]}
    assert contacts["Email"].endswith("@example.com")
    assert re.search(r"555-01\d\d$", contacts["Phone"])
    assert str(sent).isascii()
    assert not {"campaignId", "businessUnitId", "jobTypeId"} & sent.keys()


async def test_a_booking_is_recorded_before_it_is_sent(erin: Engineer) -> None:
    await erin.verify()

    assert erin.posts_before_recording == [0]
    assert len(erin.posts) == 1


async def test_an_existing_booking_is_not_made_again(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    await erin.verify()
    again = await erin.verify()

    assert len(st.bookings) == 1
    assert len(erin.posts) == 1
    assert get_check(again).cause == "booking_dismissed"
    assert "dismissed before" in get_check(again).for_engineer


async def test_a_booking_is_made_only_after_all_other_checks_pass(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.scopes -= {"tn.crm.leads:r"}

    report = await erin.verify()

    assert report.outcome is Outcome.FAILED
    assert get_check(report).outcome is Outcome.NOT_CHECKED
    assert (st.bookings, erin.recorded) == ([], False)


LOST_RESPONSES: list[tuple[FaultKind, str]] = [
    ("timeout", "no answer in time"),
    ("drop", "the connection failed"),
    (500, "HTTP 500, server error"),
    (502, "HTTP 502, server error"),
    ("html", "not ServiceTitan's JSON"),
    (429, "HTTP 429, rate limit"),
    (401, "HTTP 401"),
]


@pytest.mark.parametrize(("fault", "_in_report"), LOST_RESPONSES)
async def test_a_booking_whose_answer_is_lost_is_found_again(
    fault: FaultKind, _in_report: str, erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.fail("create-booking", status=fault, times=1, performed=True)

    report = await erin.verify()

    assert report.outcome is Outcome.PASSED
    assert [booking.status for booking in st.bookings] == ["Dismissed"]


@pytest.mark.parametrize(("fault", "in_report"), LOST_RESPONSES)
async def test_a_booking_that_never_arrived_is_not_sent_a_second_time(
    fault: FaultKind, in_report: str, erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.fail("create-booking", status=fault, times=1)

    first = await erin.verify()
    again = await erin.verify()

    assert st.bookings == []
    assert len(erin.posts) == 1
    for report in (first, again):
        assert (report.outcome, report.retry) == (Outcome.UNKNOWN, False)
        assert get_check(report).cause == "booking_lost"
        assert "a HeavySet engineer may try again" in get_check(report).for_client
    assert in_report in get_check(first).for_engineer
    assert EXTERNAL_ID in get_check(again).for_engineer


async def test_a_run_cut_off_after_booking_is_completed_by_the_next_run(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.fail("get-booking", status=503)
    cut_off = await erin.verify()
    st.heal()

    report = await erin.verify()

    assert (cut_off.outcome, cut_off.retry) == (Outcome.UNKNOWN, True)
    assert report.outcome is Outcome.PASSED
    assert len(erin.posts) == 1
    assert [booking.status for booking in st.bookings] == ["Dismissed"]


async def test_no_booking_is_sent_while_the_booking_search_fails(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    # The first check's read succeeds; the search for the booking doesn't.
    st.fail("bookings", status=200, times=1)
    st.fail("bookings", status=503)

    report = await erin.verify()

    assert (report.outcome, report.retry) == (Outcome.UNKNOWN, True)
    assert get_check(report).cause == "away"
    assert (erin.posts, erin.recorded) == ([], False)


async def test_a_booking_is_held_back_when_sending_is_no_longer_allowed(erin: Engineer) -> None:
    erin.may_book = False

    report = await erin.verify()

    assert get_check(report).cause == "booking_held_back"
    assert report.outcome is Outcome.UNKNOWN
    assert erin.posts == []


@pytest.mark.parametrize("status", [403, 404])
async def test_a_booking_the_bot_cannot_dismiss_passes_with_instructions(
    status: int, erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.dismiss_status = 403 if status == 403 else 404

    report = await erin.verify()

    assert report.outcome is Outcome.PASSED
    assert get_check(report).cause == "booking_to_dismiss"
    assert "Calls → Bookings → the booking → Dismiss" in get_check(report).for_client
    assert f"dismiss: HTTP {status}" in get_check(report).for_engineer
    assert [booking.status for booking in st.bookings] == ["New"]


@pytest.mark.parametrize("fault", [400, 500, "timeout"])
async def test_a_dismissal_that_fails_is_left_to_a_person(
    fault: FaultKind, erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.fail("dismiss-booking", status=fault)

    report = await erin.verify()

    assert (report.outcome, get_check(report).cause) == (Outcome.PASSED, "booking_to_dismiss")


async def test_a_dismissal_with_a_lost_response_is_confirmed_from_the_booking(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.fail("dismiss-booking", status=502, performed=True)

    report = await erin.verify()

    assert get_check(report).cause == "booking_dismissed"


async def test_a_missing_write_permission_fails_and_is_named(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.claims = False  # otherwise the token itself shows it, and nothing is sent
    st.scopes -= {"tn.crm.bookings:w"}

    report = await erin.verify()

    assert report.outcome is Outcome.FAILED
    assert "Write: Bookings. Please check those boxes in the app" in get_check(report).for_client
    assert get_check(report).steps == (6, 12)
    assert st.bookings == []


async def test_a_booking_rejected_as_malformed_is_escalated_to_engineers(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.fail("create-booking", status=400)

    report = await erin.verify()

    assert (report.outcome, report.retry) == (Outcome.UNKNOWN, False)
    assert get_check(report).cause == "booking_refused"
    assert "It's nothing you did" in get_check(report).for_client
    assert "HTTP 400" in get_check(report).for_engineer


async def test_engineers_see_which_booking_fields_servicetitan_rejected(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    body = b'{"title": "Bad Request", "errors": {"contacts": ["one too many"], "zip": ["none"]}}'
    st.fail("create-booking", status=Odd(body, 400))

    text = get_check(await erin.verify()).for_engineer

    assert "unexpected answer, contacts" in text
    assert not [name for name in ("externalId", "summary", "zip", "too many") if name in text]


async def test_a_successful_booking_proves_the_write_bookings_permission(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.claims = False

    writes = get_check(await erin.verify(), "writes")

    assert (writes.outcome, writes.required) == (Outcome.UNKNOWN, False)
    assert "Write Customers, Leads, Appointments, Jobs:" in writes.for_engineer


async def test_a_refused_booking_does_not_prove_the_write_permission(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.claims = False
    st.fail("create-booking", status=400)

    writes = get_check(await erin.verify(), "writes")

    assert "Bookings" in writes.for_engineer


async def test_someone_elses_booking_is_never_mistaken_for_ours(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    erin.searches_are_filtered = False  # so someone else's older booking is listed first

    report = await erin.verify()

    [booking] = st.bookings
    assert get_check(report).for_engineer.startswith(f"booking {booking.id} ")


async def test_a_booking_report_contains_no_credential_values(
    erin: Engineer, st: ServiceTitanSandbox
) -> None:
    st.fail("dismiss-booking", status=400)

    report = (await erin.verify()).model_dump_json()

    assert not [name for name, value in st.credentials.items() if value in report]


def leaping_clock(leap: timedelta) -> Callable[[], datetime]:
    """A clock that ticks slowly, and leaps once after the token has arrived."""
    ticks = count()

    def now() -> datetime:
        tick = next(ticks)
        return NOW + timedelta(milliseconds=tick) + (leap if tick > 8 else timedelta())

    return now


@pytest.mark.parametrize(("minutes", "tokens"), [(13, 1), (14, 2)])
async def test_a_run_uses_its_token_until_shortly_before_it_expires(
    minutes: int, tokens: int, erin: Engineer, st: ServiceTitanSandbox
) -> None:
    report = await erin.verify(leaping_clock(timedelta(minutes=minutes)))

    paths = [request.template for request in st.requests]
    assert report.outcome is Outcome.PASSED
    assert paths.count("/connect/token") == tokens
    assert len(st.bookings) == 1


async def test_each_run_requests_a_new_token(erin: Engineer, st: ServiceTitanSandbox) -> None:
    for _ in range(2):
        await erin.verify()

    assert [request.template for request in st.requests].count("/connect/token") == 2
