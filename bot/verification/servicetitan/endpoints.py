"""ServiceTitan's endpoints and scopes that the integration uses."""

from typing import NamedTuple
from urllib.parse import quote

from pydantic import SecretStr


class Endpoint(NamedTuple):
    """An endpoint: what the guide calls its data, its scope, its path."""

    label: str
    scope: str
    template: str

    def path(self, tenant_id: SecretStr, booking_provider_id: SecretStr, **others: str) -> str:
        """Return the path with the ids quoted, so that no value can lead to another endpoint."""
        return self.template.format(
            tenant=quote(tenant_id.get_secret_value(), safe=""),
            booking_provider=quote(booking_provider_id.get_secret_value(), safe=""),
            **{name: quote(value, safe="") for name, value in others.items()},
        )


# Paths: ServiceTitan's OpenAPI descriptions of CRM, JPM, Marketing and Settings (v2), published on
# developer.servicetitan.io. Names of scopes: the portal's pattern tn.<module>.<data>:<r|w>; those
# of bookings, customers, appointments, jobs and business units are confirmed by live tokens.
CRM, JPM = "/crm/v2/tenant/{tenant}", "/jpm/v2/tenant/{tenant}"
MARKETING, SETTINGS = "/marketing/v2/tenant/{tenant}", "/settings/v2/tenant/{tenant}"
ONE_RECORD = "?page=1&pageSize=1"

# With the restriction of step 15, bookings may be read under their provider only.
OF_PROVIDER = CRM + "/booking-provider/{booking_provider}/bookings"
BOOKINGS = Endpoint("Bookings", "tn.crm.bookings:r", OF_PROVIDER + ONE_RECORD)
# No personal data, and every tenant has one: the best first request.
BUSINESS_UNITS = Endpoint(
    "Business Units", "tn.stt.businessunits:r", SETTINGS + "/business-units" + ONE_RECORD
)
# The eight that step 6 checks under "Read", in its order.
READS = (
    BOOKINGS,
    Endpoint("Customers", "tn.crm.customers:r", CRM + "/customers" + ONE_RECORD),
    Endpoint("Leads", "tn.crm.leads:r", CRM + "/leads" + ONE_RECORD),
    Endpoint("Appointments", "tn.jpm.appointments:r", JPM + "/appointments" + ONE_RECORD),
    Endpoint("Jobs", "tn.jpm.jobs:r", JPM + "/jobs" + ONE_RECORD),
    Endpoint("Campaigns", "tn.mrk.campaigns:r", MARKETING + "/campaigns" + ONE_RECORD),
    BUSINESS_UNITS,
    Endpoint("Technicians", "tn.stt.technicians:r", SETTINGS + "/technicians" + ONE_RECORD),
)
# The five under "Write". Without a side effect, only the token's own list can prove them.
WRITE_SCOPES = {
    "Bookings": "tn.crm.bookings:w",
    "Customers": "tn.crm.customers:w",
    "Leads": "tn.crm.leads:w",
    "Appointments": "tn.jpm.appointments:w",
    "Jobs": "tn.jpm.jobs:w",
}
# Not in the guide: shows whether a Booking Provider ID exists. Used if the token allows it.
BOOKING_PROVIDER_TAG = Endpoint(
    "Booking Provider Tags",
    "tn.crm.bookingprovidertags:r",
    CRM + "/booking-provider-tags/{booking_provider}",
)
# The test booking. It can be dismissed, never deleted; older versions of ServiceTitan's
# descriptions lack `dismiss`.
BOOKING_BY_EXTERNAL_ID = Endpoint(
    "Bookings", "tn.crm.bookings:r", OF_PROVIDER + ONE_RECORD + "&externalId={external_id}"
)
BOOKING = Endpoint("Bookings", "tn.crm.bookings:r", OF_PROVIDER + "/{booking}")
CREATE_BOOKING = Endpoint("Bookings", "tn.crm.bookings:w", OF_PROVIDER)
DISMISS_BOOKING = Endpoint("Bookings", "tn.crm.bookings:w", OF_PROVIDER + "/{booking}/dismiss")
