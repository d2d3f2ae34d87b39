"""The failures of a verification, as data: what causes each, and what the report says.

They are based on ServiceTitan's answers as published or seen live.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.onboarding.verification_report import Outcome
from bot.verification.servicetitan.endpoints import BOOKING_PROVIDER_TAG
from sandbox.servicetitan.faults import FaultKind
from sandbox.servicetitan.server import ServiceTitanSandbox

Setup = Callable[[ServiceTitanSandbox], object]


def no_setup(_st: ServiceTitanSandbox) -> None:
    pass


def without_scopes(*scopes: str) -> Setup:
    def setup(st: ServiceTitanSandbox) -> None:
        st.scopes -= set(scopes)

    return setup


def failing(endpoint: str, *, status: FaultKind) -> Setup:
    return lambda st: st.fail(endpoint, status=status)


def with_state(**state: object) -> Setup:
    def setup(st: ServiceTitanSandbox) -> None:
        for name, value in state.items():
            setattr(st, name, value)

    return setup


def all_of(*steps: Setup) -> Setup:
    def setup(st: ServiceTitanSandbox) -> None:
        for step in steps:
            step(st)

    return setup


def with_tag_scope(st: ServiceTitanSandbox) -> None:
    st.scopes |= {BOOKING_PROVIDER_TAG.scope}


@dataclass(frozen=True)
class Case:
    """A failure: its cause, the check that finds it, and what the report says."""

    name: str
    check: str
    cause: str
    setup: Setup = no_setup
    wrong: Mapping[str, str | Callable[[ServiceTitanSandbox], str]] = field(default_factory=dict)
    outcome: Outcome = Outcome.FAILED
    fields: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    for_client: str = ""  # part of the text for the client
    for_engineer: str = ""  # part of the text for the engineer

    def values(self, st: ServiceTitanSandbox) -> dict[str, str]:
        return {
            name: value if isinstance(value, str) else value(st)
            for name, value in self.wrong.items()
        }


def old_secret(st: ServiceTitanSandbox) -> str:
    """The secret that was valid until a new one was generated."""
    old = st.client_secret
    st.regenerate_secret()
    return old


WRONG_TENANT = {"tenant_id": "1029384756"}

CASES = [
    # Malformed values: nothing is sent.
    Case(
        "a value is missing",
        "shape",
        "malformed",
        wrong={"application_key": ""},
        fields=("application_key",),
        steps=(22,),
        for_client="Application Key (missing, step 22)",
    ),
    Case(
        "a line break in the secret",
        "shape",
        "malformed",
        wrong={"client_secret": lambda st: f"{st.client_secret}\n"},
        fields=("client_secret",),
        steps=(19,),
        for_client="a space or stray character",
    ),
    Case(
        "a non-ASCII letter in the key",
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
        for_client="should be digits only",
    ),
    Case(
        "Client ID and Client Secret swapped",
        "shape",
        "malformed",
        wrong={
            "client_id": lambda st: st.client_secret,
            "client_secret": lambda st: st.client_id,
        },
        fields=("client_id", "client_secret"),
        steps=(18, 19),
        for_client="looks like the Client Secret",
    ),
    # No token.
    Case(
        "a wrong Client ID",
        "token",
        "invalid_client",
        wrong={"client_id": "cid.0000000000000000000000000"},
        for_client="First look at the dot",
        for_engineer="HTTP 400, “invalid_client”",
        fields=("client_id", "client_secret"),
        steps=(18,),
    ),
    Case(
        "a wrong Client Secret",
        "token",
        "invalid_client",
        wrong={"client_secret": "cs1." + "0" * 50},
        for_client="Lost it? Generate a new one at step 19",
        fields=("client_id", "client_secret"),
        steps=(18,),
    ),
    Case(
        "an old secret after a new one was generated",
        "token",
        "invalid_client",
        wrong={"client_secret": old_secret},
        for_client="use the newest secret",
        fields=("client_id", "client_secret"),
        steps=(18,),
    ),
    Case(
        "the app not accepted, or disabled by the tenant, so that no token is given",
        "token",
        "invalid_client",
        setup=with_state(connected=False),
        for_client="First look at the dot under “Allowed by Tenant” (step 18)",
        for_engineer="other environment (step 3), or the tenant disabled the app (step 12)",
        fields=("client_id", "client_secret"),
        steps=(18,),
    ),
    Case(
        "a token with another Client ID",
        "tenant",
        "client_mismatch",
        setup=with_state(client_id_in_token="cid.0000000000000000000000000"),
        fields=("client_id",),
        steps=(18,),
        for_client="belongs to a different app",
    ),
    # The tenant, by the token's own claim, then by the API's answer.
    Case(
        "the Tenant ID of another company, known from the token",
        "tenant",
        "tenant_mismatch",
        wrong=WRONG_TENANT,
        fields=("tenant_id",),
        steps=(18,),
        for_client="are from different ServiceTitan accounts",
    ),
    Case(
        "the Tenant ID of another company, answered with 403",
        "application_key",
        "application_key_or_tenant",
        setup=with_state(claims=False),
        wrong=WRONG_TENANT,
        fields=("tenant_id", "application_key"),
        steps=(17, 18, 22),
        for_client="Either the Application Key belongs to another app or the Tenant ID is wrong",
        for_engineer="HTTP 403",
    ),
    Case(
        "the Tenant ID of another company, answered with 404",
        "application_key",
        "tenant_not_found",
        setup=with_state(claims=False, wrong_tenant_status=404),
        wrong=WRONG_TENANT,
        fields=("tenant_id",),
        steps=(18,),
        for_client="The Tenant ID is most likely wrong",
        for_engineer="HTTP 404",
    ),
    # The Application Key.
    Case(
        "a wrong Application Key",
        "application_key",
        "application_key_refused",
        wrong={"application_key": "ak1.0000000000000000000000000"},
        fields=("application_key",),
        steps=(18, 22),
        for_client="The Application Key is most likely wrong",
        for_engineer="HTTP 401, trace ",
    ),
    Case(
        "the App ID as the Application Key",
        "application_key",
        "application_key_refused",
        wrong={"application_key": "a1b2c3d4e5f6g"},
        fields=("application_key",),
        steps=(18, 22),
        for_client="not the App ID",
    ),
    Case(
        "the app disabled by the tenant, so that the API answers 401",
        "application_key",
        "application_key_refused",
        setup=failing("business-units", status=401),
        fields=("application_key",),
        steps=(18, 22),
        for_client="Make sure the dot at step 18 is green",
    ),
    Case(
        "the app disabled by the tenant, so that the API answers 403",
        "application_key",
        "application_key_foreign",
        setup=failing("business-units", status=403),
        fields=("application_key",),
        steps=(17, 18, 22),
        for_client="Make sure the dot at step 18 is green",
    ),
    Case(
        "the Application Key of another app",
        "application_key",
        "application_key_foreign",
        wrong={"application_key": lambda st: st.foreign_application_key},
        fields=("application_key",),
        steps=(17, 18, 22),
        for_client="most likely belongs to another app",
        for_engineer="HTTP 403",
    ),
    # Permissions.
    Case(
        "one read not granted",
        "permissions",
        "scopes_missing",
        setup=without_scopes("tn.crm.customers:r"),
        steps=(6, 12),
        for_client="Read: Customers. Please check those boxes in the app (step 6)",
        for_engineer="Scope validation failed",
    ),
    Case(
        "a write ticked, but the new version of the app not accepted",
        "permissions",
        "scopes_missing",
        setup=without_scopes("tn.jpm.jobs:w"),
        steps=(6, 12),
        for_client="choose “Upgrade to New Version”",
    ),
    Case(
        "reads and writes not granted",
        "permissions",
        "scopes_missing",
        setup=without_scopes(
            "tn.crm.leads:r", "tn.jpm.jobs:r", "tn.jpm.jobs:w", "tn.crm.bookings:w"
        ),
        steps=(6, 12),
        for_client="Read: Leads, Jobs. Write: Bookings, Jobs.",
    ),
    Case(
        "the first read not granted, which blames neither key nor tenant",
        "permissions",
        "scopes_missing",
        setup=without_scopes("tn.stt.businessunits:r"),
        steps=(6, 12),
        for_client="Upgrade to New Version",
    ),
    Case(
        "bookings not granted, which does not blame the Booking Provider ID",
        "permissions",
        "scopes_missing",
        setup=without_scopes("tn.crm.bookings:r"),
        steps=(6, 12),
        for_client="Read: Bookings.",
    ),
    Case(
        "a read not granted, and the token lists no scopes",
        "permissions",
        "scopes_missing",
        setup=all_of(without_scopes("tn.jpm.appointments:r"), with_state(claims=False)),
        steps=(6, 12),
        for_client="Read: Appointments.",
    ),
    # The booking provider.
    Case(
        "a Booking Provider ID that does not exist",
        "booking_provider",
        "provider_not_found",
        wrong={"booking_provider_id": "1"},
        fields=("booking_provider_id",),
        steps=(11, 15),
        for_client="most likely no booking provider with this ID",
        for_engineer="HTTP 404",
    ),
    Case(
        "a Booking Provider ID that ServiceTitan calls a bad request",
        "booking_provider",
        "provider_not_found",
        setup=failing("bookings", status=400),
        fields=("booking_provider_id",),
        steps=(11, 15),
        for_engineer="HTTP 400",
    ),
    Case(
        "the ID of a booking provider other than the one chosen at step 15",
        "booking_provider",
        "provider_refused",
        wrong={"booking_provider_id": lambda st: st.other_booking_provider_id},
        fields=("booking_provider_id",),
        steps=(11, 15),
        for_client="step 15",
        for_engineer="HTTP 403",
    ),
    Case(
        "a tag that does not exist",
        "booking_provider_tag",
        "tag_not_found",
        setup=with_tag_scope,
        wrong={"booking_provider_id": "1"},
        fields=("booking_provider_id",),
        steps=(11,),
        for_client="the number (not the name)",
    ),
    Case(
        "an inactive tag",
        "booking_provider_tag",
        "tag_inactive",
        setup=all_of(with_tag_scope, with_state(tag_active=False)),
        steps=(9, 10),
        for_client="inactive",
    ),
]

OUTAGES: list[tuple[str, str, FaultKind, str, str]] = [
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
