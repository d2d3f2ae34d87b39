"""What ServiceTitan's responses mean: from values, token and probes to checks of a report (pure).

Where ServiceTitan does not document a response, its meaning is what public clients have seen; the
remedy then says "most likely".
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from bot.guide import Guide
from bot.guide.credential_fields import CredentialField
from bot.verification.errors import NoAnswer, RequestError, TooManyRequests
from bot.verification.findings import Finding, listed_problems
from bot.verification.servicetitan import Token
from bot.verification.servicetitan.endpoints import WRITE_SCOPES, Endpoint
from bot.verification.servicetitan.errors import (
    Forbidden,
    InvalidClient,
    ResourceNotFound,
    ScopeMissing,
    Unauthorized,
)


@dataclass(frozen=True, slots=True)
class Probe:
    """One request to the API, and its result."""

    endpoint: Endpoint
    ms: int
    error: RequestError | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{self.endpoint.label}: {self.error or 'HTTP 200'}, {self.ms} ms"


def shape(guide: Guide, values: Mapping[str, SecretStr]) -> Finding:
    """Check whether the guide's values, by field, can be right at all, without a request."""
    problems = {}
    for each in guide.credentials:
        if problem := _problem(guide, each, values[each.id].get_secret_value()):
            problems[each.id] = problem
    if problems:
        told = f"not sent to {guide.platform}: {listed_problems(guide, problems)}"
        return Finding("shape", told, "malformed", problems=problems)
    return Finding("shape", "all present, well-formed, and in the right field")


def _problem(guide: Guide, field: CredentialField, value: str) -> str | None:
    if not value:
        return "missing"
    if not value.isascii() or not value.isprintable() or " " in value:
        return "contains a space or stray character"
    # A value without its prefix may be right; with another's it is not.
    for other in guide.credentials:
        if other is not field and other.prefix and re.match(other.prefix, value):
            return f"looks like the {other.label}"
    if field.digits and not value.isdigit():
        return "should be digits only"
    return None


def token_refused(error: RequestError, ms: int) -> Finding:
    if isinstance(error, InvalidClient):
        hint = (
            "wrong Client ID or Client Secret, credentials from ServiceTitan's other environment "
            "(step {step.sign_in}), or the tenant disabled the app (step {step.api_access})"
        )
        return Finding("token", f"token: {error}, {ms} ms: {hint}", "invalid_client")
    return Finding("token", f"token: {error}, {ms} ms", cause_of_error(error))


def of_other_environment(refused: Finding, other: str, here: str) -> Finding:
    """Return the check for values that `here` refused and the environment `other` accepts."""
    told = f"{refused.for_engineer}; the {other} environment accepts these credentials"
    return Finding("token", told, "other_environment", {"other": other, "here": here})


def claims(token: Token, values: Mapping[str, SecretStr]) -> Finding:
    """Check whether the token was issued for this client and tenant, as far as it says."""
    if token.client_id not in (None, values["client_id"].get_secret_value()):
        return Finding("tenant", "token client_id doesn't match the Client ID", "client_mismatch")
    if token.tenant is None:
        return Finding("tenant", "token has no tenant claim; the API decides", "no_claims")
    if token.tenant != values["tenant_id"].get_secret_value():
        return Finding("tenant", "token tenant doesn't match the Tenant ID", "tenant_mismatch")
    return Finding("tenant", "token tenant matches the Tenant ID")


def application_key(probe: Probe, *, tenant_known: bool) -> Finding:
    """Check the Application Key, and the tenant if it is still open, by the first probe."""
    check, told = "application_key", str(probe)
    match probe.error:
        case None | ScopeMissing():  # the gateway checks key and tenant before the scope
            return Finding(check, told)
        case Unauthorized():
            return Finding(check, told, "application_key_refused")
        case Forbidden() if tenant_known:
            return Finding(check, told, "application_key_foreign")
        case Forbidden():
            return Finding(check, told, "application_key_or_tenant")
        case ResourceNotFound() if not tenant_known:
            return Finding(check, told, "tenant_not_found")
        case error:
            return Finding(check, told, cause_of_error(error))


def permissions(reads: Sequence[Probe], scopes: frozenset[str] | None) -> Finding:
    """Check the eight reads by their calls.

    Missing writes, known only from the token's list, are reported with the missing reads, so that
    the client fixes everything at once.
    """
    missing_reads = [probe.endpoint.label for probe in reads if lacks_scope(probe, scopes)]
    missing = ". ".join(
        f"{kind}: {', '.join(labels)}"
        for kind, labels in (("Read", missing_reads), ("Write", _missing_writes(reads, scopes)))
        if labels
    )
    check, told = "permissions", "; ".join(map(str, reads))
    if missing:
        return Finding(check, f"{missing} ({told})", "scopes_missing", {"missing": missing})
    for probe in reads:
        if probe.error and not _about_the_provider(probe):
            return Finding(check, told, cause_of_error(probe.error))
    return Finding(check, told, "bookings_open" if any(probe.error for probe in reads) else "")


def writes(
    reads: Sequence[Probe], scopes: frozenset[str] | None, proved: Collection[str] = ()
) -> Finding:
    """Check the five writes by the token; `proved` are those that were used.

    What the token does not say is left to an engineer, who is told where to look.
    """
    if missing := [label for label in _missing_writes(reads, scopes) if label not in proved]:
        return Finding("writes", f"not in the token: {', '.join(missing)}", "named_above")
    listed = [label for label, scope in WRITE_SCOPES.items() if scope in (scopes or ())]
    unproved = [label for label in WRITE_SCOPES if label not in {*listed, *proved}]
    if unproved:
        names = ", ".join(unproved)
        told = (
            f"Write {names}: the token doesn't list write scopes, and testing would write data. "
            "In the Developer Portal, under My Apps → Edit → API Scopes (step {step.app_form}), "
            "are the Write boxes checked?"
        )
        return Finding("writes", told, "writes_not_proved")
    shown = [f"proven by a write: {', '.join(proved)}"] if set(proved) - set(listed) else []
    return Finding("writes", "; ".join(["listed in the token: " + ", ".join(listed), *shown]))


def lacks_scope(probe: Probe, scopes: frozenset[str] | None) -> bool:
    """Whether the probe failed because its scope is missing."""
    if isinstance(probe.error, Forbidden):
        return scopes is not None and probe.endpoint.scope not in scopes
    return isinstance(probe.error, ScopeMissing)


def _missing_writes(reads: Sequence[Probe], scopes: frozenset[str] | None) -> list[str]:
    if scopes is None:
        return []
    # If a read works that the token does not list, ServiceTitan has another name for that scope, so
    # the absence of its ":w" says nothing either.
    misnamed = {
        probe.endpoint.label
        for probe in reads
        if probe.error is None and probe.endpoint.scope not in scopes
    }
    return [
        label
        for label, scope in WRITE_SCOPES.items()
        if scope not in scopes and label not in misnamed
    ]


def booking_provider(bookings: Probe, scopes: frozenset[str] | None) -> Finding:
    """Check the Booking Provider ID by reading the provider's bookings."""
    check, told = "booking_provider", str(bookings)
    if bookings.error is None:
        return Finding(check, told)
    if lacks_scope(bookings, scopes):
        return Finding(check, told, "needs_bookings")
    if isinstance(bookings.error, Forbidden):
        return Finding(check, told, "provider_refused")
    if _about_the_provider(bookings):
        return Finding(check, told, "provider_not_found")
    return Finding(check, told, cause_of_error(bookings.error))


def _about_the_provider(probe: Probe) -> bool:
    """Whether ServiceTitan may answer like this to a wrong Booking Provider ID."""
    if "{booking_provider}" not in probe.endpoint.template or probe.error is None:
        return False
    return isinstance(probe.error, Forbidden | ResourceNotFound) or probe.error.status == 400


def booking_provider_tag(tag: Probe) -> Finding:
    """Check the tag itself, which unlike the bookings shows whether the ID exists."""
    check, told = "booking_provider_tag", str(tag)
    if isinstance(tag.error, ResourceNotFound):
        return Finding(check, told, "tag_not_found")
    if tag.error is not None:
        return Finding(check, told, cause_of_error(tag.error), optional=True)
    if tag.body.get("active") is False:
        return Finding(check, f"{told}, active: false", "tag_inactive")
    return Finding(check, told)


def cause_of_error(error: RequestError) -> str:
    """Return the cause of a check left open by an error that says nothing about the values."""
    match error:
        case NoAnswer():
            return "away"
        case TooManyRequests():
            return "rate_limited"
        case InvalidClient():  # the secret was replaced meanwhile
            return "invalid_client"
    return "unclear"
