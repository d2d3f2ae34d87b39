"""What the pretend ServiceTitan offers: its read endpoints, scopes, records, response formats."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiohttp import web


class Read(NamedTuple):
    """A read endpoint: its path, the scope that allows it, and one record of its response."""

    path: str
    scope: str
    record: dict[str, Any]


PROVIDER = r"/crm/v2/tenant/{tenant:\d+}/booking-provider/{booking_provider:\d+}"

# The paths are from the API's OpenAPI descriptions; the records hold made-up personal data, so
# that a test can show that none of it is kept.
READS = {
    "bookings": Read(
        f"{PROVIDER}/bookings",
        "tn.crm.bookings:r",
        {"id": 11, "source": "HeavySet Tech", "name": "Jane Roe", "status": "New"},
    ),
    "customers": Read(
        r"/crm/v2/tenant/{tenant:\d+}/customers",
        "tn.crm.customers:r",
        {"id": 12, "active": True, "name": "Jane Roe", "type": "Residential"},
    ),
    "leads": Read(
        r"/crm/v2/tenant/{tenant:\d+}/leads",
        "tn.crm.leads:r",
        {"id": 13, "status": "Open", "customerId": 12, "summary": "Jane Roe, leaking tap"},
    ),
    "appointments": Read(
        r"/jpm/v2/tenant/{tenant:\d+}/appointments",
        "tn.jpm.appointments:r",
        {"id": 14, "jobId": 15, "appointmentNumber": "15-1", "status": "Scheduled"},
    ),
    "jobs": Read(
        r"/jpm/v2/tenant/{tenant:\d+}/jobs",
        "tn.jpm.jobs:r",
        {"id": 15, "jobNumber": "15", "customerId": 12, "jobStatus": "Scheduled"},
    ),
    "campaigns": Read(
        r"/marketing/v2/tenant/{tenant:\d+}/campaigns",
        "tn.mrk.campaigns:r",
        {"id": 16, "name": "Spring mailing", "active": True},
    ),
    "business-units": Read(
        r"/settings/v2/tenant/{tenant:\d+}/business-units",
        "tn.stt.businessunits:r",
        {"id": 17, "active": True, "name": "Plumbing", "officialName": "Acme Plumbing"},
    ),
    "technicians": Read(
        r"/settings/v2/tenant/{tenant:\d+}/technicians",
        "tn.stt.technicians:r",
        {"id": 18, "active": True, "name": "John Doe", "businessUnitId": 17},
    ),
}

# Two more that the guide does not ask for: the bookings of every provider, and a provider's tag.
ALL_BOOKINGS = Read(r"/crm/v2/tenant/{tenant:\d+}/bookings", "tn.crm.bookings:r", {})
TAG = Read(
    r"/crm/v2/tenant/{tenant:\d+}/booking-provider-tags/{booking_provider:\d+}",
    "tn.crm.bookingprovidertags:r",
    {},
)

WRITE_SCOPES = frozenset(
    {
        "tn.crm.bookings:w",
        "tn.crm.customers:w",
        "tn.crm.leads:w",
        "tn.jpm.appointments:w",
        "tn.jpm.jobs:w",
    }
)
# What an app has if its form was filled in as the guide says (step 6).
GUIDE_SCOPES = frozenset(read.scope for read in READS.values()) | WRITE_SCOPES


class Refused(Exception):
    """A request that is refused, and the response that says why."""

    def __init__(
        self, status: int, title: str, errors: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(title)
        self.response = problem(status, title, errors=errors)


def problem(
    status: int,
    title: str,
    headers: Mapping[str, str] | None = None,
    *,
    errors: Mapping[str, Sequence[str]] | None = None,
) -> web.Response:
    """A refusal in the API's format (RFC 7807)."""
    body = {
        "type": f"https://httpstatuses.io/{status}",
        "title": title,
        "status": status,
        "traceId": uuid.uuid4().hex,
        "errors": errors or {},
        "data": {},
    }
    return web.json_response(body, status=status, headers=headers)
