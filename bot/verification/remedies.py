"""The findings of a verification: what each is called, and how to fix it.

Texts for the client are short and name the guide's steps. Where ServiceTitan does not document what
a response means, the text says "most likely".
"""

from typing import NamedTuple

from bot.onboarding.report import Check, Outcome

# Every check, in the order of a report.
TITLES = {
    "shape": "All five credentials",
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
    "shape": "All five look right.",
    "token": "ServiceTitan accepts the Client ID and the Client Secret.",
    "tenant": "The Tenant ID matches.",
    "application_key": "ServiceTitan accepts the Application Key.",
    "permissions": "We can read all eight kinds of data.",
    "writes": "HeavySet Tech has every write permission it needs.",
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
        "We couldn't reach ServiceTitan just now. It's nothing you entered. We'll try again "
        "automatically.",
        retry=True,
    ),
    "rate_limited": Remedy(
        Outcome.UNKNOWN,
        "ServiceTitan asked us to slow down. It's nothing you entered. We'll try again shortly.",
        retry=True,
    ),
    "unclear": Remedy(
        Outcome.UNKNOWN,
        "ServiceTitan's answer wasn't clear. Nothing for you to do; our engineers will take a "
        "look.",
    ),
    "bookings_open": Remedy(
        Outcome.UNKNOWN,
        "Everything else can be read. We'll check bookings once the Booking Provider ID is right.",
    ),
    # The test booking. It passes with a text of its own, because somebody may have to dismiss it.
    "booking_dismissed": Remedy(
        Outcome.PASSED,
        "Our test booking ({number}) went through, and we dismissed it. It stays in the history "
        "as Dismissed.",
    ),
    "booking_to_dismiss": Remedy(
        Outcome.PASSED,
        "Our test booking ({number}, “TEST - please dismiss”) went through, but we can't "
        "dismiss it from here. Please dismiss it for us: Calls → Bookings → the booking → "
        "Dismiss.",
    ),
    "booking_lost": Remedy(
        Outcome.UNKNOWN,
        "We sent a test booking but can't find it in ServiceTitan. Nothing for you to do; a "
        "HeavySet engineer may try again. If “TEST - please dismiss” shows up later, please "
        "dismiss it.",
    ),
    "booking_refused": Remedy(
        Outcome.UNKNOWN,
        "ServiceTitan didn't accept our test booking. It's nothing you did; our engineers will "
        "take a look.",
    ),
    "booking_held_back": Remedy(
        Outcome.UNKNOWN,
        "We couldn't send the test booking just now. It's nothing you entered. We'll try again "
        "automatically.",
        retry=True,
    ),
    "no_claims": Remedy(
        Outcome.UNKNOWN,
        "We can't tell yet; the next check will show it.",
        required=False,
    ),
    "writes_not_proved": Remedy(
        Outcome.UNKNOWN,
        "Not confirmed yet. Nothing for you to do; a HeavySet engineer will check it.",
        required=False,
    ),
    # Not checked, because something else has to pass first.
    "named_above": Remedy(
        Outcome.NOT_CHECKED, "See the missing permissions above.", required=False
    ),
    "needs_bookings": Remedy(Outcome.NOT_CHECKED, "We'll check this once we can read bookings."),
    "later": Remedy(Outcome.NOT_CHECKED, "We'll check this once the items above are fixed."),
}


def passed(check_id: str, for_engineer: str) -> Check:
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
