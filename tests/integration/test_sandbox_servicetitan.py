"""The ServiceTitan sandbox accepts, refuses, finds, and dismisses bookings like the real one."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.servicetitan.faults import FaultKind
from sandbox.servicetitan.server import ServiceTitanSandbox

Json = dict[str, Any]


@pytest.fixture
async def st() -> AsyncIterator[ServiceTitanSandbox]:
    async with ServiceTitanSandbox(seed=1) as running:
        yield running


class Caller:
    """A caller with a token and an application key."""

    def __init__(self, st: ServiceTitanSandbox, http: httpx.AsyncClient) -> None:
        self.st, self.http = st, http

    async def call(self, method: str, path: str = "", provider: str = "", **options: Any) -> Any:
        """Call a path under the provider's bookings and return the response."""
        st = self.st
        form = {"client_id": st.client_id, "client_secret": st.client_secret}
        form["grant_type"] = "client_credentials"
        token = (await self.http.post(f"{st.auth_url}/connect/token", data=form)).json()
        headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "ST-App-Key": st.application_key,
        }
        root = f"{st.api_url}/crm/v2/tenant/{st.tenant_id}/booking-provider"
        url = f"{root}/{provider or st.booking_provider_id}/bookings{path}"
        return await self.http.request(method, url, headers=headers, **options)

    async def create(self, **changes: Any) -> Any:
        return await self.call("POST", json=booking(**changes))


@pytest.fixture
async def caller(st: ServiceTitanSandbox) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(timeout=20) as http:  # longer than a busy machine stalls
        yield Caller(st, http)


def booking(**changes: Any) -> Json:
    """A valid booking; None leaves a property out."""
    content = {
        "source": "HeavySet Tech",
        "name": "TEST - please dismiss",
        "summary": "Sent by HeavySet Tech to test the connection",
        "isFirstTimeClient": True,
        "isSendConfirmationEmail": False,
        "externalId": "heavyset-test-1-1",
        "start": "2027-01-08T15:00:00Z",
        "contacts": [{"type": "Email", "value": "test@example.com"}],
        **changes,
    }
    return {name: value for name, value in content.items() if value is not None}


async def test_a_created_booking_is_returned_and_can_be_read_back(
    st: ServiceTitanSandbox, caller: Caller
) -> None:
    created = await caller.create()
    read = await caller.call("GET", f"/{created.json()['id']}")

    assert (created.status_code, read.status_code) == (200, 200)
    assert read.json() == created.json()
    assert created.json()["status"] == "New"
    assert created.json()["bookingProviderId"] == int(st.booking_provider_id)
    assert [booking.external_id for booking in st.bookings] == ["heavyset-test-1-1"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"source": None}, "source"),
        ({"name": None}, "name"),
        ({"summary": None}, "summary"),
        ({"isFirstTimeClient": None}, "isFirstTimeClient"),
        ({"externalId": None}, "externalId"),
        ({"isFirstTimeClient": "yes"}, "isFirstTimeClient"),
        ({"tenant": 1}, "tenant"),
        ({"contacts": None}, "request"),
        ({"contacts": []}, "request"),
        ({"contacts": [{"type": "Pigeon", "value": "coo"}]}, "contacts.0.type"),
        ({"address": {"street": "1 Main St"}}, "address.city"),
        ({"priority": "Now"}, "priority"),
        ({"customerType": "Royal"}, "customerType"),
        ({"start": "tomorrow"}, "start"),
        ({"start": "2027-01-08T15:00:00"}, "start"),
    ],
)
async def test_a_schema_violation_is_refused_and_names_the_property(
    st: ServiceTitanSandbox, caller: Caller, changes: Json, path: str
) -> None:
    refused = await caller.create(**changes)

    assert refused.status_code == 400
    assert path in refused.json()["errors"]
    assert st.bookings == []


async def test_an_address_can_be_given_instead_of_a_contact(caller: Caller) -> None:
    address = {"street": "1 Main St", "city": "Tulsa", "state": "OK", "zip": "74103"}

    created = await caller.create(contacts=None, address={**address, "country": "USA"})

    assert created.json()["address"]["city"] == "Tulsa"


async def test_the_scope_is_checked_before_the_schema(
    st: ServiceTitanSandbox, caller: Caller
) -> None:
    allowed = await caller.call("POST", json={})
    st.scopes -= {"tn.crm.bookings:w"}
    refused = await caller.call("POST", json={})

    assert (allowed.status_code, refused.status_code) == (400, 403)
    assert "'POST /tenant/{tenant}/booking-provider/" in refused.json()["title"]
    assert refused.json()["title"].startswith("Scope validation failed.")


async def test_a_duplicate_external_id_is_accepted_and_finds_both_bookings(
    st: ServiceTitanSandbox, caller: Caller
) -> None:
    for external_id in ("a", "a", "b"):
        await caller.create(externalId=external_id)

    found = await caller.call("GET", params={"externalId": "a", "includeTotal": "true"})
    no_match = await caller.call("GET", params={"externalId": "c"})

    assert [booking["externalId"] for booking in found.json()["data"]] == ["a", "a"]
    assert found.json()["totalCount"] == 2
    assert no_match.json()["data"] == []
    assert len({booking.id for booking in st.bookings}) == 3


async def test_a_page_respects_the_page_size_and_reports_has_more(caller: Caller) -> None:
    for _ in range(3):
        await caller.create()

    pages = [
        (await caller.call("GET", params={"externalId": "heavyset-test-1-1", **page})).json()
        for page in ({"pageSize": 2}, {"pageSize": 2, "page": 2})
    ]

    assert [(len(page["data"]), page["hasMore"]) for page in pages] == [(2, True), (1, False)]


@pytest.mark.parametrize("query", [{"page": 0}, {"pageSize": 5001}, {"sort": "-Id"}])
async def test_invalid_list_parameters_are_refused(caller: Caller, query: Json) -> None:
    refused = await caller.call("GET", params=query)

    assert refused.status_code == 400
    assert refused.json()["errors"]


async def test_a_wrong_booking_provider_is_refused_on_every_endpoint(
    st: ServiceTitanSandbox, caller: Caller
) -> None:
    created = (await caller.create()).json()["id"]
    calls = [("GET", ""), ("POST", ""), ("GET", f"/{created}"), ("POST", f"/{created}/dismiss")]

    def body(method: str) -> Json:
        return {"json": booking()} if method == "POST" else {}

    refused = [
        await caller.call(method, path, st.other_booking_provider_id, **body(method))
        for method, path in calls
    ]
    unknown = [await caller.call(method, path, "1", **body(method)) for method, path in calls]

    assert [response.status_code for response in refused] == [403] * 4
    assert [response.status_code for response in unknown] == [404] * 4
    assert len(st.bookings) == 1


async def test_a_booking_is_not_found_under_another_provider(
    st: ServiceTitanSandbox, caller: Caller
) -> None:
    st.restricted = False
    created = (await caller.create()).json()["id"]

    from_other_provider = await caller.call("GET", f"/{created}", st.other_booking_provider_id)

    assert (from_other_provider.status_code, from_other_provider.json()["title"]) == (
        404,
        "Booking not found.",
    )


async def test_a_booking_can_be_dismissed_but_never_deleted(
    st: ServiceTitanSandbox, caller: Caller
) -> None:
    created = (await caller.create()).json()["id"]

    deleted = await caller.call("DELETE", f"/{created}")
    dismissed = await caller.call("POST", f"/{created}/dismiss", json={"dismissingMemo": "Test"})

    assert deleted.json()["title"] == "Unable to match incoming request to an operation."
    assert (dismissed.status_code, dismissed.content) == (200, b"")
    assert [(booking.status, booking.dismissing_memo) for booking in st.bookings] == [
        ("Dismissed", "Test")
    ]
    assert (await caller.call("GET", f"/{created}")).json()["status"] == "Dismissed"


@pytest.mark.parametrize("status", [404, 403])
async def test_dismissing_can_be_configured_to_fail(
    st: ServiceTitanSandbox, caller: Caller, status: Any
) -> None:
    st.dismiss_status = status
    created = (await caller.create()).json()["id"]

    refused = await caller.call("POST", f"/{created}/dismiss", json={})

    assert refused.status_code == status
    assert st.bookings[0].status == "New"


async def test_dismissing_needs_a_valid_json_object_and_the_scope(
    st: ServiceTitanSandbox, caller: Caller
) -> None:
    created = (await caller.create()).json()["id"]

    empty = await caller.call("POST", f"/{created}/dismiss")
    unknown = await caller.call("POST", f"/{created}/dismiss", json={"why": "Test"})
    st.scopes -= {"tn.crm.bookings:w"}
    unscoped = await caller.call("POST", f"/{created}/dismiss", json={})

    assert [response.status_code for response in (empty, unknown, unscoped)] == [400, 400, 403]


async def test_non_ascii_is_garbled_and_a_missing_start_becomes_the_year_one(
    st: ServiceTitanSandbox, caller: Caller
) -> None:
    created = (await caller.create(name="TEST — Müller", start=None)).json()

    assert created["name"] == "TEST \ufffd M\ufffdller"
    assert created["start"] == "0001-01-01T00:00:00Z"
    assert st.bookings[0].sent["name"] == "TEST — Müller"


@pytest.mark.parametrize("fault", ["drop", "timeout"])
@pytest.mark.parametrize("performed", [True, False])
async def test_a_lost_response_leaves_open_whether_the_booking_was_created(
    st: ServiceTitanSandbox, caller: Caller, fault: FaultKind, performed: bool
) -> None:
    st.fail("create-booking", status=fault, times=1, performed=performed)

    with pytest.raises(httpx.TransportError):
        await caller.call("POST", json=booking(), timeout=0.3)

    assert len(st.bookings) == performed
    assert (await caller.create()).status_code == 200


@pytest.mark.parametrize("performed", [True, False])
async def test_a_bad_gateway_leaves_open_whether_the_booking_was_created(
    st: ServiceTitanSandbox, caller: Caller, performed: bool
) -> None:
    st.fail("create-booking", status=502, times=1, performed=performed)

    assert (await caller.create()).status_code == 502
    assert len(st.bookings) == performed


async def test_a_rate_limited_call_creates_no_booking(
    st: ServiceTitanSandbox, caller: Caller
) -> None:
    st.fail("create-booking", status=429, retry_after=7)

    refused = await caller.create()

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert st.bookings == []
