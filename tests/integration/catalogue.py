"""The failures of a verification, as data: how each comes about, and what is to come of it.

The rows are those of ServiceTitan's answers as far as they are published or were seen live.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.onboarding.verification_report import Outcome
from bot.verification.servicetitan.endpoints import BOOKING_PROVIDER_TAG
from sandbox.servicetitan.faults import FaultKind
from sandbox.servicetitan.server import ServiceTitanSandbox

Arrange = Callable[[ServiceTitanSandbox], object]


def nothing(_st: ServiceTitanSandbox) -> None:
    pass


def without(*scopes: str) -> Arrange:
    def arrange(st: ServiceTitanSandbox) -> None:
        st.scopes -= set(scopes)

    return arrange


def failing(endpoint: str, *, status: FaultKind) -> Arrange:
    return lambda st: st.fail(endpoint, status=status)


def having(**state: object) -> Arrange:
    def arrange(st: ServiceTitanSandbox) -> None:
        for name, value in state.items():
            setattr(st, name, value)

    return arrange


def both(*steps: Arrange) -> Arrange:
    def arrange(st: ServiceTitanSandbox) -> None:
        for step in steps:
            step(st)

    return arrange


def with_tag(st: ServiceTitanSandbox) -> None:
    st.scopes |= {BOOKING_PROVIDER_TAG.scope}


@dataclass(frozen=True)
class Case:
    """A failure: what is wrong, at which check it shows, what it is called, where it leads."""

    name: str
    check: str
    cause: str
    arrange: Arrange = nothing
    wrong: Mapping[str, str | Callable[[ServiceTitanSandbox], str]] = field(default_factory=dict)
    outcome: Outcome = Outcome.FAILED
    fields: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    says: str = ""  # in the client's sentence
    tells: str = ""  # in the engineer's

    def values(self, st: ServiceTitanSandbox) -> dict[str, str]:
        return {
            name: value if isinstance(value, str) else value(st)
            for name, value in self.wrong.items()
        }


def outdated(st: ServiceTitanSandbox) -> str:
    """The secret of before; a new one has been generated since."""
    old = st.client_secret
    st.regenerate_secret()
    return old


WRONG_TENANT = {"tenant_id": "1029384756"}

CATALOGUE = [
    # Values that cannot be right: nothing is sent.
    Case(
        "a value is missing",
        "shape",
        "malformed",
        wrong={"application_key": ""},
        fields=("application_key",),
        steps=(22,),
        says="Application Key (missing, step 22)",
    ),
    Case(
        "a line break in the secret",
        "shape",
        "malformed",
        wrong={"client_secret": lambda st: f"{st.client_secret}\n"},
        fields=("client_secret",),
        steps=(19,),
        says="a space or stray character",
    ),
    Case(
        "a letter that no header can carry in the key",
        "shape",
        "malformed",
        wrong={"application_key": lambda st: f"{st.application_key}ü"},
        fields=("application_key",),
        steps=(22,),
    ),
    Case(
        "a Tenant ID with letters",
        "shape",
        "malformed",
        wrong={"tenant_id": "acme-plumbing"},
        fields=("tenant_id",),
        steps=(18,),
        says="should be digits only",
    ),
    Case(
        "Client ID and Client Secret swapped",
        "shape",
        "malformed",
        wrong={"client_id": lambda st: st.client_secret, "client_secret": lambda st: st.client_id},
        fields=("client_id", "client_secret"),
        steps=(18, 19),
        says="looks like the Client Secret",
    ),
    # No token.
    Case(
        "a wrong Client ID",
        "token",
        "invalid_client",
        wrong={"client_id": "cid.0000000000000000000000000"},
        says="First look at the dot",
        tells="HTTP 400, “invalid_client”",
        fields=("client_id", "client_secret"),
        steps=(18,),
    ),
    Case(
        "a wrong Client Secret",
        "token",
        "invalid_client",
        wrong={"client_secret": "cs1." + "0" * 50},
        says="Lost it? Generate a new one at step 19",
        fields=("client_id", "client_secret"),
        steps=(18,),
    ),
    Case(
        "an old secret after a new one was generated",
        "token",
        "invalid_client",
        wrong={"client_secret": outdated},
        says="use the newest secret",
        fields=("client_id", "client_secret"),
        steps=(18,),
    ),
    Case(
        "the app not accepted, or disabled by the tenant, so that no token is given",
        "token",
        "invalid_client",
        arrange=having(connected=False),
        says="First look at the dot under “Allowed by Tenant” (step 18)",
        tells="other environment (step 3), or the tenant disabled the app (step 12)",
        fields=("client_id", "client_secret"),
        steps=(18,),
    ),
    Case(
        "a token that tells another Client ID",
        "tenant",
        "client_mismatch",
        arrange=having(client_id_in_token="cid.0000000000000000000000000"),
        fields=("client_id",),
        steps=(18,),
        says="belongs to a different app",
    ),
    # The tenant, by the token's own claim, then by the API's answer.
    Case(
        "the Tenant ID of another company, known from the token",
        "tenant",
        "tenant_mismatch",
        wrong=WRONG_TENANT,
        fields=("tenant_id",),
        steps=(18,),
        says="are from different ServiceTitan accounts",
    ),
    Case(
        "the Tenant ID of another company, answered with 403",
        "application_key",
        "application_key_or_tenant",
        arrange=having(claims=False),
        wrong=WRONG_TENANT,
        fields=("tenant_id", "application_key"),
        steps=(17, 18, 22),
        says="Either the Application Key belongs to another app or the Tenant ID is wrong",
        tells="HTTP 403",
    ),
    Case(
        "the Tenant ID of another company, answered with 404",
        "application_key",
        "tenant_not_found",
        arrange=having(claims=False, wrong_tenant_status=404),
        wrong=WRONG_TENANT,
        fields=("tenant_id",),
        steps=(18,),
        says="The Tenant ID is most likely wrong",
        tells="HTTP 404",
    ),
    # The Application Key.
    Case(
        "a wrong Application Key",
        "application_key",
        "application_key_refused",
        wrong={"application_key": "ak1.0000000000000000000000000"},
        fields=("application_key",),
        steps=(18, 22),
        says="The Application Key is most likely wrong",
        tells="HTTP 401, trace ",
    ),
    Case(
        "the App ID as the Application Key",
        "application_key",
        "application_key_refused",
        wrong={"application_key": "a1b2c3d4e5f6g"},
        fields=("application_key",),
        steps=(18, 22),
        says="not the App ID",
    ),
    Case(
        "the app disabled by the tenant, so that the API answers 401",
        "application_key",
        "application_key_refused",
        arrange=failing("business-units", status=401),
        fields=("application_key",),
        steps=(18, 22),
        says="Make sure the dot at step 18 is green",
    ),
    Case(
        "the app disabled by the tenant, so that the API answers 403",
        "application_key",
        "application_key_foreign",
        arrange=failing("business-units", status=403),
        fields=("application_key",),
        steps=(17, 18, 22),
        says="Make sure the dot at step 18 is green",
    ),
    Case(
        "the Application Key of another app",
        "application_key",
        "application_key_foreign",
        wrong={"application_key": lambda st: st.foreign_application_key},
        fields=("application_key",),
        steps=(17, 18, 22),
        says="most likely belongs to another app",
        tells="HTTP 403",
    ),
    # Permissions.
    Case(
        "one read not granted",
        "permissions",
        "scopes_missing",
        arrange=without("tn.crm.customers:r"),
        steps=(6, 12),
        says="Read: Customers. Please check those boxes in the app (step 6)",
        tells="Scope validation failed",
    ),
    Case(
        "a write ticked, but the new version of the app not accepted",
        "permissions",
        "scopes_missing",
        arrange=without("tn.jpm.jobs:w"),
        steps=(6, 12),
        says="choose “Upgrade to New Version”",
    ),
    Case(
        "reads and writes not granted",
        "permissions",
        "scopes_missing",
        arrange=without("tn.crm.leads:r", "tn.jpm.jobs:r", "tn.jpm.jobs:w", "tn.crm.bookings:w"),
        steps=(6, 12),
        says="Read: Leads, Jobs. Write: Bookings, Jobs.",
    ),
    Case(
        "the first question not granted, which blames neither key nor tenant",
        "permissions",
        "scopes_missing",
        arrange=without("tn.stt.businessunits:r"),
        steps=(6, 12),
        says="Upgrade to New Version",
    ),
    Case(
        "bookings not granted, which does not blame the Booking Provider ID",
        "permissions",
        "scopes_missing",
        arrange=without("tn.crm.bookings:r"),
        steps=(6, 12),
        says="Read: Bookings.",
    ),
    Case(
        "a read not granted, and the token lists no scopes",
        "permissions",
        "scopes_missing",
        arrange=both(without("tn.jpm.appointments:r"), having(claims=False)),
        steps=(6, 12),
        says="Read: Appointments.",
    ),
    # The booking provider.
    Case(
        "a Booking Provider ID that does not exist",
        "booking_provider",
        "provider_not_found",
        wrong={"booking_provider_id": "1"},
        fields=("booking_provider_id",),
        steps=(11, 15),
        says="most likely no booking provider with this ID",
        tells="HTTP 404",
    ),
    Case(
        "a Booking Provider ID that ServiceTitan calls a bad request",
        "booking_provider",
        "provider_not_found",
        arrange=failing("bookings", status=400),
        fields=("booking_provider_id",),
        steps=(11, 15),
        tells="HTTP 400",
    ),
    Case(
        "the ID of another booking provider than step 15 chose",
        "booking_provider",
        "provider_refused",
        wrong={"booking_provider_id": lambda st: st.other_booking_provider_id},
        fields=("booking_provider_id",),
        steps=(11, 15),
        says="step 15",
        tells="HTTP 403",
    ),
    Case(
        "a tag that does not exist",
        "booking_provider_tag",
        "tag_not_found",
        arrange=with_tag,
        wrong={"booking_provider_id": "1"},
        fields=("booking_provider_id",),
        steps=(11,),
        says="the number (not the name)",
    ),
    Case(
        "a tag that is switched off",
        "booking_provider_tag",
        "tag_inactive",
        arrange=both(with_tag, having(tag_active=False)),
        steps=(9, 10),
        says="inactive",
    ),
]

AWAY: list[tuple[str, str, FaultKind, str, str]] = [
    ("token", "token", 500, "away", "HTTP 500, server error"),
    ("token", "token", 503, "away", "HTTP 503, server error"),
    ("token", "token", 429, "rate_limited", "HTTP 429, rate limit"),
    ("token", "token", "html", "away", "HTTP 200, the answer is not ServiceTitan's JSON"),
    ("token", "token", "timeout", "away", "no answer in time"),
    ("token", "token", "drop", "away", "the connection failed"),
    ("business-units", "application_key", 502, "away", "HTTP 502, server error"),
    ("business-units", "application_key", 429, "rate_limited", "HTTP 429, rate limit"),
    ("business-units", "application_key", "html", "away", "not ServiceTitan's JSON"),
    ("technicians", "permissions", 500, "away", "Technicians: HTTP 500, server error"),
    ("technicians", "permissions", "timeout", "away", "Technicians: no answer in time"),
    ("campaigns", "permissions", 429, "rate_limited", "Campaigns: HTTP 429, rate limit"),
    ("bookings", "booking_provider", "drop", "away", "Bookings: the connection failed"),
]
