"""How a guide says its credentials are verified.

ServiceTitan's checks are code, and the guide has words for what they find. For another platform the
guide declares the requests as well.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from bot.guide.http_checks import HttpChecks
from bot.guide.remedies import AnyChecks, Remedy, Where

# Problems that somebody can fix, as bot/verification/diagnosis.py names them.
Cause = Literal[
    "invalid_client",
    "other_environment",
    "client_mismatch",
    "tenant_mismatch",
    "scopes_missing",
    "tag_not_found",
    "tag_inactive",
    "application_key_refused",
    "application_key_foreign",
    "application_key_or_tenant",
    "tenant_not_found",
    "provider_refused",
    "provider_not_found",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)
# What the code fills in, by the cause of the problem.
GAPS: Mapping[str, set[str]] = {
    "other_environment": {"other", "here"},
    "scopes_missing": {"missing"},
}


def _all_causes(remedies: dict[Cause, Remedy]) -> dict[Cause, Remedy]:
    if missing := [cause for cause in CAUSES if cause not in remedies]:
        raise ValueError(f"nothing is said about {', '.join(missing)}")
    return remedies


class ServiceTitanChecks(AnyChecks):
    """The five credentials are checked with ServiceTitan, as bot/verification/checks.py does."""

    by: Literal["servicetitan"]
    remedies: Annotated[dict[Cause, Remedy], AfterValidator(_all_causes)]

    def placed_remedies(self) -> Iterator[tuple[Where, str, Remedy]]:
        for cause, remedy in self.remedies.items():
            yield ("remedies", cause), cause, remedy


class NoChecks(AnyChecks):
    """Nothing is verified: the onboarding is complete with its last step."""

    by: Literal["none"]


Checks = Annotated[ServiceTitanChecks | HttpChecks | NoChecks, Field(discriminator="by")]
