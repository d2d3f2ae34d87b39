"""Credentials are entered, replaced, and revealed; the fifth starts the verification."""

import pytest

from bot.core.errors import Refused
from bot.onboarding import (
    EventKind,
    Onboarding,
    Verification,
)
from bot.onboarding.credentials import enter_credentials, reveal_credentials
from bot.onboarding.verification_report import Outcome
from tests.builders import (
    ALL_FIELDS,
    MINUTE,
    NOW,
    a_client_admin,
    a_report,
    an_engineer,
    an_onboarding,
    kinds,
    verified,
    with_credentials,
)

ANN, ERIN = a_client_admin(), an_engineer()
LATER = NOW + 60 * MINUTE
FAILED = a_report(Outcome.FAILED, ("client_secret",))


def current_run(onboarding: Onboarding) -> Verification:
    assert onboarding.verification
    return onboarding.verification


def a_verifying_onboarding(at_step: int = 22) -> Onboarding:
    """An onboarding with all values entered and the verification running."""
    return an_onboarding(at_step=at_step, credentials=ALL_FIELDS, report=None)


def test_a_stored_value_has_a_mask_author_time_and_version() -> None:
    change = enter_credentials(
        an_onboarding(at_step=11), 11, {"booking_provider_id": "••••4321"}, ANN, LATER
    )
    stored = change.onboarding.credentials["booking_provider_id"]

    assert (stored.mask, stored.by, stored.at, stored.version) == ("••••4321", ANN, LATER, 1)


def test_the_event_for_an_entered_value_omits_the_mask() -> None:
    (event,) = enter_credentials(
        an_onboarding(at_step=11), 11, {"booking_provider_id": "••••4321"}, ANN, LATER
    ).events

    assert (event.kind, event.step) == (EventKind.CREDENTIAL_ENTERED, 11)
    assert event.detail == {"field": "booking_provider_id", "version": 1}


def test_a_value_that_is_entered_again_replaces_the_old_one() -> None:
    onboarding = an_onboarding(at_step=19)

    change = enter_credentials(onboarding, 18, {"tenant_id": "••••0001"}, ERIN, LATER)

    assert kinds(change) == [EventKind.CREDENTIAL_REPLACED]
    assert change.onboarding.credentials["tenant_id"].version == 2
    assert change.onboarding.credentials["client_id"] == onboarding.credentials["client_id"]


def test_four_values_do_not_start_a_verification() -> None:
    onboarding = with_credentials(an_onboarding(at_step=11), ALL_FIELDS[:4])

    assert onboarding.verification is None
    assert onboarding.missing == ALL_FIELDS[4:]


@pytest.mark.parametrize("last", ALL_FIELDS)
def test_the_fifth_value_starts_the_verification_whichever_it_is(last: str) -> None:
    four = [name for name in ALL_FIELDS if name != last]
    onboarding = with_credentials(an_onboarding(at_step=12, credentials=()), four)

    change = enter_credentials(onboarding, 22, {last: "••••"}, ANN, LATER)

    assert kinds(change) == [EventKind.CREDENTIAL_ENTERED, EventKind.VERIFICATION_REQUESTED]
    assert current_run(change.onboarding) == Verification(1, ANN, LATER)
    assert current_run(change.onboarding).due_at == LATER


def test_missing_values_are_listed_in_guide_order() -> None:
    assert an_onboarding().missing == (
        "booking_provider_id",
        "tenant_id",
        "client_id",
        "client_secret",
        "application_key",
    )


def test_replacing_a_value_restarts_a_running_verification() -> None:
    onboarding = a_verifying_onboarding()

    after = enter_credentials(onboarding, 18, {"tenant_id": "••••0001"}, ANN, LATER).onboarding

    assert len(after.verifications) == 1
    assert (current_run(after).number, current_run(after).requested_at) == (1, LATER)


def test_a_value_replaced_after_a_failure_is_verified_again() -> None:
    onboarding = verified(a_verifying_onboarding(), FAILED)

    after = enter_credentials(onboarding, 19, {"client_secret": "••••"}, ANN, LATER).onboarding

    assert [run.number for run in after.verifications] == [1, 2]
    assert current_run(after).report is None


def test_the_reveal_event_names_fields_but_not_values() -> None:
    change = reveal_credentials(an_onboarding(at_step=24), ["booking_provider_id"], ERIN, LATER)

    (event,) = change.events
    assert (event.kind, event.actor) == (EventKind.CREDENTIALS_REVEALED, ERIN)
    assert event.detail == {"fields": ["booking_provider_id"]}


def test_a_value_not_yet_entered_cannot_be_revealed() -> None:
    with pytest.raises(Refused, match="Not entered yet: Application Key"):
        reveal_credentials(an_onboarding(at_step=20), ["tenant_id", "application_key"], ERIN, LATER)
