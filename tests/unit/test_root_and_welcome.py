"""The two messages that open a thread."""

import html

import pytest

from bot.onboarding import Onboarding
from bot.onboarding.report import Outcome
from bot.views.root import root_message, welcome_message
from tests.builders import (
    ALL_FIELDS,
    CLIENT_ADMIN,
    ENGINEER,
    GUIDE,
    OTHER_ADMIN,
    a_completed_onboarding,
    a_report,
    an_onboarding,
)

FAILED = a_report(Outcome.FAILED, ("client_id", "client_secret"))


def root(onboarding: Onboarding) -> str:
    return root_message(onboarding).text


def test_the_root_is_headed_by_the_guide_and_the_client() -> None:
    assert root(an_onboarding()).startswith("ServiceTitan CRM Integration: Acme Plumbing\n")


@pytest.mark.parametrize(
    ("at_step", "bar"),
    [
        (1, "▱▱▱▱▱▱▱▱▱▱  0 of 25 steps done"),
        (6, "▰▰▱▱▱▱▱▱▱▱  5 of 25 steps done"),
        (25, "▰▰▰▰▰▰▰▰▰▱  24 of 25 steps done"),
    ],
)
def test_the_root_shows_how_far_the_client_is(at_step: int, bar: str) -> None:
    assert bar in root(an_onboarding(at_step=at_step))


def test_the_root_tells_what_is_to_be_done_now_and_by_whom() -> None:
    text = root(an_onboarding(at_step=6))

    assert "Now: step 6, Complete the Application Registration Form" in text
    assert "Whose turn: Acme Plumbing, since <!date^" in text


def test_the_root_lists_the_phases_with_their_state() -> None:
    text = root(an_onboarding(at_step=10))

    assert "✅ Phase 1: Account Preparation — done" in text
    assert "▶️ Phase 3: Booking Provider Configuration — 1 of 3 done" in text
    assert "⬜ Phase 6: Finalize Integration — to come" in text


def test_in_phase_6_it_is_the_engineers_turn() -> None:
    assert f"Whose turn: HeavySet Tech, <@{ENGINEER}>, since" in root(an_onboarding(at_step=23))


@pytest.mark.parametrize(
    ("onboarding", "words"),
    [
        (an_onboarding(at_step=22, credentials=ALL_FIELDS, report=None), "running …"),
        (an_onboarding(at_step=23), "passed"),
        (
            an_onboarding(at_step=23, report=FAILED),
            "failed; enter again: Client ID and Client Secret",
        ),
        (an_onboarding(at_step=23, report=a_report(Outcome.UNKNOWN)), "not finished, see below"),
    ],
    ids=["running", "passed", "failed", "unknown"],
)
def test_the_root_tells_of_the_verification(onboarding: Onboarding, words: str) -> None:
    assert f"Verification: {words}" in root(onboarding)


def test_without_all_values_the_root_tells_of_no_verification() -> None:
    assert "Verification" not in root(an_onboarding(at_step=20))


def test_a_failure_in_phase_6_makes_it_the_clients_turn_again() -> None:
    assert "Whose turn: Acme Plumbing" in root(an_onboarding(at_step=24, report=FAILED))


def test_the_end_is_told_as_the_end() -> None:
    text = root(a_completed_onboarding())

    assert "▰▰▰▰▰▰▰▰▰▰  25 of 25 steps done" in text
    assert "🎉 Setup complete! Your ServiceTitan connection was verified <!date^" in text
    assert "Whose turn" not in text


def test_the_welcome_greets_the_clients_admins_and_names_the_engineer() -> None:
    message = welcome_message(an_onboarding(client_admins=(CLIENT_ADMIN, OTHER_ADMIN)))

    assert message.text.startswith("Welcome, Acme Plumbing!")
    assert f"Hi <@{CLIENT_ADMIN}> <@{OTHER_ADMIN}>! I'll walk you through" in message.text
    assert f"<@{ENGINEER}>" in message.text


def test_the_welcome_works_without_named_admins() -> None:
    assert "Hi! I'll walk you through" in welcome_message(an_onboarding(client_admins=())).text


def test_the_welcome_says_what_must_be_there() -> None:
    text = html.unescape(welcome_message(an_onboarding()).text)

    for words in GUIDE.prerequisites:
        assert words in text


def test_the_welcome_warns_of_posting_secrets() -> None:
    text = welcome_message(an_onboarding()).text

    assert "Please don't post passwords or keys in this channel." in text


def test_neither_has_buttons() -> None:
    onboarding = an_onboarding()

    assert not root_message(onboarding).has_buttons
    assert not welcome_message(onboarding).has_buttons
