"""The button for the test booking: it says what will appear, before anything does."""

from bot.views.step import step_message
from tests.builders import ONBOARDING_ID, an_onboarding
from tests.unit.rendering import elements, problems

LONGEST_NAME = "W" * 80


def test_the_last_step_offers_a_test_booking_beside_the_verification() -> None:
    message = step_message(an_onboarding(at_step=25), 25)

    assert elements(message.blocks)["test_booking"]["value"] == f"{ONBOARDING_ID}:25"


def test_it_says_first_what_appears_where_and_who_sees_it() -> None:
    message = step_message(an_onboarding(at_step=25), 25)
    confirm = elements(message.blocks)["test_booking"]["confirm"]

    text = confirm["text"]["text"]
    assert "“TEST - please dismiss” will show up in Acme Plumbing's ServiceTitan" in text
    assert "dispatcher" in text
    assert "tell the client first" in text


def test_slack_takes_it_with_the_longest_name() -> None:
    onboarding = an_onboarding(at_step=25, client_name=LONGEST_NAME)

    assert problems(step_message(onboarding, 25)) == []
