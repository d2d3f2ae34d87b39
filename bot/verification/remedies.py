"""The findings of a verification: what each is called, and how to fix it.

Texts for the client are short and name the guide's steps. Where ServiceTitan does not document what
a response means, the text says "most likely".
"""

from typing import NamedTuple

from bot.onboarding.report import Check, Outcome

# Every check, in the order of a report.
TITLES = {
    "shape": "The five values",
    "token": "Client ID and Client Secret",
    "tenant": "Tenant ID",
    "application_key": "Application Key",
    "permissions": "Permissions",
    "writes": "Write permissions",
    "booking_provider": "Booking Provider ID",
    "booking_provider_tag": "Booking Provider tag",
    "test_booking": "Test booking",
}
# Only if the token allows the request, or if an engineer asked for a test booking.
OPTIONAL = frozenset({"booking_provider_tag", "test_booking"})

LABELS = {
    "tenant_id": "Tenant ID",
    "client_id": "Client ID",
    "client_secret": "Client Secret",
    "application_key": "Application Key",
    "booking_provider_id": "Booking Provider ID",
}
# The step at which to copy a value again.
SOURCE_STEP = {
    "tenant_id": 18,
    "client_id": 18,
    "client_secret": 19,
    "application_key": 22,
    "booking_provider_id": 11,
}

PASSED = {
    "shape": "All five values look right.",
    "token": "ServiceTitan accepts the Client ID and the Client Secret.",
    "tenant": "The Tenant ID is the right one.",
    "application_key": "ServiceTitan accepts the Application Key.",
    "permissions": "All eight kinds of data can be read.",
    "writes": "Everything that HeavySet Tech has to write is allowed.",
    "booking_provider": "The Booking Provider ID works.",
    "booking_provider_tag": "The booking provider tag exists and is active.",
}


class Remedy(NamedTuple):
    """What a cause means: outcome, text, credentials to enter again, steps to repeat."""

    outcome: Outcome
    for_client: str
    fields: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    required: bool = True
    retry: bool = False


REMEDIES = {
    # Known for certain.
    "malformed": Remedy(Outcome.FAILED, "Please copy these again: {problems}."),
    "invalid_client": Remedy(
        Outcome.FAILED,
        "ServiceTitan didn't accept this Client ID and Client Secret. First look at the dot "
        "under “Allowed by Tenant” (step 18). Not green? The app isn't connected yet: go back "
        "to steps 12–16, and don't generate a new secret. Green? Copy the Client ID again and "
        "use the newest secret. Lost it? Generate a new one at step 19.",
        ("client_id", "client_secret"),
        (18,),
    ),
    "other_environment": Remedy(
        Outcome.FAILED,
        "These come from ServiceTitan's {other} environment, but we connect to {here}. Please "
        "sign in again at step 3 as a {here} environment user, create the app there, and enter "
        "its values at steps 18, 19, and 22.",
        ("tenant_id", "client_id", "client_secret", "application_key"),
        (3, 5, 18, 19, 22),
    ),
    "client_mismatch": Remedy(
        Outcome.FAILED,
        "This Client ID belongs to a different app. Please copy it again at step 18.",
        ("client_id",),
        (18,),
    ),
    "tenant_mismatch": Remedy(
        Outcome.FAILED,
        "The Tenant ID and the Client ID are from different ServiceTitan accounts. Please copy "
        "the Tenant ID again at step 18.",
        ("tenant_id",),
        (18,),
    ),
    "scopes_missing": Remedy(
        Outcome.FAILED,
        "A few permissions are missing. {missing}. Please check those boxes in the app (step "
        "6) and save. Then in ServiceTitan open Settings → Integrations → API Application "
        "Access, choose “Upgrade to New Version”, and click “Allow”. Your keys stay the same.",
        (),
        (6, 12),
    ),
    "tag_not_found": Remedy(
        Outcome.FAILED,
        "We can't find a booking provider tag with this ID. Please copy the number (not the "
        "name) again at step 11.",
        ("booking_provider_id",),
        (11,),
    ),
    "tag_inactive": Remedy(
        Outcome.FAILED,
        "The booking provider tag is inactive. Please turn it back on where you created it "
        "(steps 9 and 10).",
        (),
        (9, 10),
    ),
    # Likely: ServiceTitan does not document these responses.
    "application_key_refused": Remedy(
        Outcome.FAILED,
        "The Application Key is most likely wrong. Please copy it again at step 22 (not the "
        "App ID under the app's name). Same key? Make sure the dot at step 18 is green.",
        ("application_key",),
        (18, 22),
    ),
    "application_key_foreign": Remedy(
        Outcome.FAILED,
        "This Application Key most likely belongs to another app. Please copy it from the "
        "HeavySet Tech app at step 22. Same key? Make sure the dot at step 18 is green.",
        ("application_key",),
        (17, 18, 22),
    ),
    "application_key_or_tenant": Remedy(
        Outcome.FAILED,
        "Either the Application Key belongs to another app or the Tenant ID is wrong. Please "
        "copy both again: the Tenant ID at step 18 (the dot should be green) and the key at "
        "step 22.",
        ("tenant_id", "application_key"),
        (17, 18, 22),
    ),
    "tenant_not_found": Remedy(
        Outcome.FAILED,
        "The Tenant ID is most likely wrong. Please copy it again at step 18.",
        ("tenant_id",),
        (18,),
    ),
    "provider_refused": Remedy(
        Outcome.FAILED,
        "This ID most likely belongs to a different booking provider, or a different one was "
        "chosen at step 15. Please copy the ID again at step 11 and check step 15.",
        ("booking_provider_id",),
        (11, 15),
    ),
    "provider_not_found": Remedy(
        Outcome.FAILED,
        "There's most likely no booking provider with this ID. Please copy the number again at "
        "step 11 and check step 15.",
        ("booking_provider_id",),
        (11, 15),
    ),
    # Not determined: neither failed nor passed.
    "away": Remedy(
        Outcome.UNKNOWN,
        "ServiceTitan could not be reached just now. This is not because of your values, and you "
        "need not do anything: we try again.",
        retry=True,
    ),
    "rate_limited": Remedy(
        Outcome.UNKNOWN,
        "ServiceTitan asked us to wait a little. This is not because of your values, and you need "
        "not do anything: we try again.",
        retry=True,
    ),
    "unclear": Remedy(
        Outcome.UNKNOWN,
        "ServiceTitan's answer leaves this open. You need not do anything: HeavySet Tech's "
        "engineers look into it.",
    ),
    "bookings_open": Remedy(
        Outcome.UNKNOWN,
        "Everything can be read so far. Bookings come last, once the Booking Provider ID is right.",
    ),
    # The test booking. It passes with a text of its own, because somebody may have to dismiss it.
    "booking_dismissed": Remedy(
        Outcome.PASSED,
        "ServiceTitan took test booking {number}, and we dismissed it again. It stays in the "
        "history as Dismissed.",
    ),
    "booking_to_dismiss": Remedy(
        Outcome.PASSED,
        "ServiceTitan took test booking {number}, “TEST - please dismiss”, and does not let us "
        "dismiss it from here. Please do: Calls screen → Bookings → the booking → Dismiss.",
    ),
    "booking_lost": Remedy(
        Outcome.UNKNOWN,
        "We sent a test booking, and it is not to be found in ServiceTitan. You need not do "
        "anything: a HeavySet engineer may try again. Should “TEST - please dismiss” appear "
        "there later, please dismiss it.",
    ),
    "booking_refused": Remedy(
        Outcome.UNKNOWN,
        "ServiceTitan did not take our test booking, for no reason of yours. You need not do "
        "anything: HeavySet Tech's engineers look into it.",
    ),
    "booking_held_back": Remedy(
        Outcome.UNKNOWN,
        "The test booking could not be sent just now. This is not because of your values, and you "
        "need not do anything: we try again.",
        retry=True,
    ),
    "no_claims": Remedy(
        Outcome.UNKNOWN,
        "This could not be seen beforehand; the next check shows whether it is right.",
        required=False,
    ),
    "writes_not_proved": Remedy(
        Outcome.UNKNOWN,
        "Not proved yet, and nothing for you to do: an engineer ticks it off.",
        required=False,
    ),
    # Not checked, because something else has to pass first.
    "named_above": Remedy(
        Outcome.NOT_CHECKED, "See the missing permissions above.", required=False
    ),
    "needs_bookings": Remedy(Outcome.NOT_CHECKED, "Checked as soon as Bookings may be read."),
    "later": Remedy(Outcome.NOT_CHECKED, "Checked as soon as the points above are settled."),
}


def passed(check_id: str, for_engineer: str) -> Check:
    """Return a check that passed."""
    return Check(
        id=check_id,
        title=TITLES[check_id],
        outcome=Outcome.PASSED,
        for_client=PASSED[check_id],
        for_engineer=for_engineer,
    )


def found(check_id: str, cause: str, for_engineer: str, **words: str) -> Check:
    """Return a check with the outcome and remedy of `cause`; `words` fill the gaps of its text."""
    remedy = REMEDIES[cause]
    return Check(
        id=check_id,
        title=TITLES[check_id],
        outcome=remedy.outcome,
        for_client=remedy.for_client.format(**words),
        for_engineer=for_engineer,
        fields=remedy.fields,
        steps=remedy.steps,
        cause=cause,
        required=remedy.required,
        retry=remedy.retry,
    )


def malformed(problems: dict[str, str]) -> Check:
    """Return the failed check of shapes; `problems` says what is wrong with each field."""
    told = "; ".join(
        f"{LABELS[field]} ({problem}, step {SOURCE_STEP[field]})"
        for field, problem in problems.items()
    )
    check = found("shape", "malformed", f"not sent to ServiceTitan: {told}", problems=told)
    steps = sorted({SOURCE_STEP[field] for field in problems})
    return check.model_copy(update={"fields": tuple(problems), "steps": tuple(steps)})
