"""A second guide is just another file; it needs no code."""

import pytest

from bot.core.errors import Refused
from bot.guide import Guide, Owner, parse
from bot.guide.answers import answer
from bot.guide.credential_checks import check
from bot.onboarding import EventKind, Onboarding, Status, StepState
from bot.onboarding.steps import finish_step
from bot.onboarding.verifications import request_verification
from bot.views.modals import help_modal, reveal_modal
from tests.builders import (
    NOW,
    PASSED,
    a_client_admin,
    a_new_onboarding,
    an_engineer,
    an_onboarding,
    verified,
    with_credentials,
)
from tests.unit.rendering import (
    a_form_ref,
    buttons,
    credentials_modal_at,
    every_message,
    problems,
    texts,
    thread_of,
)

SOURCE = """
id = "fieldbook"
version = "0.1"
updated = "March 2026"
platform = "Plumbers' Friend"
title = "Fieldbook"
subtitle = "Connecting the calendar"
audience = "Everybody"
overview = ["Two values, three steps."]
prerequisites_intro = "You need:"
prerequisites = ["A Fieldbook account."]
reference_intro = "Both values:"
support = "Ask us."

[[phases]]
number = 1
title = "Yours"
subtitle = "What you do"

[[phases.steps]]
number = 1
title = "Choose a site"
body = "Open Sites & Teams, and note the code of yours."
credentials = ["site_code"]

[[phases.steps]]
number = 2
title = "Make a token"
body = "Press “Make”."
items = ["It is shown once."]
credentials = ["api_token"]

[[phases]]
number = 2
title = "Ours"
subtitle = "What we do"
owner = "heavyset"

[[phases.steps]]
number = 3
title = "Try it"
body = "We try it."
reveals = ["site_code", "api_token"]
verifies = true

[[credentials]]
id = "site_code"
label = "Site Code"
source = "Sites"
destination = "Settings"
step = 1
digits = true
looks_like = "is a number"

[[credentials]]
id = "api_token"
label = "API Token"
source = "Tokens"
destination = "Settings"
step = 2
min_length = 6
prefix = 'tok_'
usual = 'tok_[a-z]+'
looks_like = "starts with “tok_”"

[[troubleshooting]]
text = "No token? Ask the owner of the account."
steps = [2]
"""
FIELDS = ("site_code", "api_token")


@pytest.fixture(scope="module")
def fieldbook() -> Guide:
    return parse(SOURCE, "fieldbook.toml")


def every_stage(guide: Guide) -> list[Onboarding]:
    """The onboarding at each step, and completed."""
    at = [an_onboarding(guide=guide, at_step=step.number) for step in guide.steps]
    asked = request_verification(at[-1], an_engineer(), NOW).onboarding
    return [*at, verified(asked, PASSED)]


def test_a_second_guide_loads_its_steps_and_phases(fieldbook: Guide) -> None:
    assert [step.title for step in fieldbook.steps] == ["Choose a site", "Make a token", "Try it"]
    assert [phase.owner for phase in fieldbook.phases] == [Owner.CLIENT, Owner.HEAVYSET]


def test_an_onboarding_on_a_second_guide_can_be_completed(fieldbook: Guide) -> None:
    onboarding = every_stage(fieldbook)[-1]

    assert onboarding.status is Status.COMPLETED
    assert {step.state for step in onboarding.steps} == {StepState.DONE}


def test_entering_the_last_value_starts_the_verification(fieldbook: Guide) -> None:
    onboarding = an_onboarding(guide=fieldbook, at_step=2)

    after = with_credentials(onboarding, ["api_token"])

    assert not onboarding.verification
    assert after.verification


def test_a_missing_value_blocks_the_clients_last_step(fieldbook: Guide) -> None:
    onboarding = an_onboarding(guide=fieldbook, at_step=2)

    with pytest.raises(Refused, match=r"Almost! We still need API Token \(step 2\)"):
        finish_step(onboarding, 2, a_client_admin(), NOW)


def test_finishing_the_clients_last_step_hands_over_to_heavyset(fieldbook: Guide) -> None:
    onboarding = with_credentials(an_onboarding(guide=fieldbook, at_step=2), ["api_token"], PASSED)

    change = finish_step(onboarding, 2, a_client_admin(), NOW)

    assert EventKind.HANDED_OVER in [event.kind for event in change.events]
    assert change.onboarding.turn is Owner.HEAVYSET


def test_slack_accepts_every_message_of_a_second_guide(fieldbook: Guide) -> None:
    for onboarding in every_stage(fieldbook):
        messages = every_message(onboarding).values()
        assert [problems(message) for message in messages] == [[]] * len(messages)


def test_slack_accepts_every_modal_of_a_second_guide(fieldbook: Guide) -> None:
    onboarding = every_stage(fieldbook)[-1]

    views = [help_modal(onboarding, a_form_ref(onboarding, step)) for step in (1, 2, 3)]
    views += [credentials_modal_at(onboarding, step) for step in (1, 2)]
    views.append(reveal_modal(onboarding, a_form_ref(onboarding, 3, FIELDS), "reveal-1"))

    assert [problems(view) for view in views] == [[]] * len(views)


def test_messages_use_the_guides_own_wording(fieldbook: Guide) -> None:
    first = thread_of(a_new_onboarding(guide=fieldbook).onboarding)

    words = "\n".join(texts([message.blocks for message in first.values()]))

    for wanted in ("Fieldbook", "Step 1 of 3: Choose a site", "Sites &amp; Teams", "You need:"):
        assert wanted in words


def test_the_items_of_a_step_are_listed(fieldbook: Guide) -> None:
    message = thread_of(an_onboarding(guide=fieldbook, at_step=2))["step:2"]

    assert "•  It is shown once." in message.text


def test_steps_of_a_second_guide_have_the_usual_buttons(fieldbook: Guide) -> None:
    message = every_message(a_new_onboarding(guide=fieldbook).onboarding)["step:1"]

    assert list(buttons(message)) == ["enter_credentials", "step_done", "step_help", "hand_over"]


def test_values_are_checked_against_the_guides_own_formats(fieldbook: Guide) -> None:
    found = check(fieldbook.credentials, {"site_code": "tok_abcdef", "api_token": "abcdef"})

    assert found["site_code"].text.startswith("That's the API Token (it starts with “tok_”)")
    assert not found["api_token"].is_certain


def test_the_help_modal_has_no_heading_without_content(fieldbook: Guide) -> None:
    onboarding = an_onboarding(guide=fieldbook, at_step=2)

    words = texts(help_modal(onboarding, a_form_ref(onboarding, 2)))

    assert not [text for text in words if text.endswith("*\n")]


def test_a_guide_without_credentials_can_be_walked_through() -> None:
    lines = SOURCE[: SOURCE.index("[[credentials]]")].splitlines()
    kept = [line for line in lines if not line.startswith(("credentials", "reveals"))]
    guide = parse("\n".join(["credentials = []", "troubleshooting = []", *kept]), "bare.toml")

    assert every_stage(guide)[-1].status is Status.COMPLETED


def test_questions_are_answered_from_the_guides_own_text(fieldbook: Guide) -> None:
    def found(question: str) -> str | None:
        given = answer(fieldbook, question)
        return given.id if given else None

    assert found("how do i make a token") == "step:2:body"
    assert found("where is the site code?") == "credential:site_code"
    assert found("what does the api tokn look like") == "credential:api_token"
    assert found("what is the application key") is None
    assert found("how much does it cost") is None
