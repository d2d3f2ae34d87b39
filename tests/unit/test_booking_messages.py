"""The test-booking button: its confirmation says what will appear before anything does."""

from bot.views.step import step_message
from tests.builders import ONBOARDING_ID, an_onboarding
from tests.unit.rendering import elements, problems

LONGEST_NAME = "W" * 80


def test_the_last_step_offers_a_test_booking() -> None:
    message = step_message(an_onboarding(at_step=25), 25)

    assert elements(message.blocks)["test_booking"]["value"] == f"{ONBOARDING_ID}:25"


def test_the_confirmation_says_what_appears_where_and_who_sees_it() -> None:
    message = step_message(an_onboarding(at_step=25), 25)
    confirm = elements(message.blocks)["test_booking"]["confirm"]

    text = confirm["text"]["text"]
    assert "“TEST - please dismiss” will show up in Acme Plumbing's ServiceTitan" in text
    assert "dispatcher" in text
    assert "tell the client first" in text


def test_slack_accepts_the_step_with_the_longest_client_name() -> None:
    onboarding = an_onboarding(at_step=25, client_name=LONGEST_NAME)

    assert problems(step_message(onboarding, 25)) == []
