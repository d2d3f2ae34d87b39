"""The two messages that open a thread."""

import html

import pytest

from bot.onboarding import Onboarding
from bot.onboarding.lifecycle import cancel, pause
from bot.onboarding.verification_report import Outcome
from bot.views.root import root_message
from bot.views.welcome import welcome_message
from tests.builders import (
    ALL_FIELDS,
    CLIENT_ADMIN,
    ENGINEER,
    GUIDE,
    NOW,
    OTHER_ADMIN,
    a_completed_onboarding,
    a_report,
    an_engineer,
    an_onboarding,
)
from tests.unit.rendering import elements, problems

LINK = "https://heavyset.slack.com/archives/C0ACME/p22?thread_ts=11"
FAILED = a_report(Outcome.FAILED, ("client_id", "client_secret"))


def root(onboarding: Onboarding) -> str:
    return root_message(onboarding).text


def test_the_root_starts_with_the_guide_title_and_the_client_name() -> None:
    assert root(an_onboarding()).startswith("ServiceTitan CRM Integration: Acme Plumbing\n")


@pytest.mark.parametrize(
    ("at_step", "progress"),
    [
        (1, "0 of 22, then HeavySet does the last 3"),
        (6, "5 of 22, then HeavySet does the last 3"),
        (25, "22 of 22 done; HeavySet has done 2 of the last 3"),
    ],
)
def test_the_root_shows_the_clients_progress(at_step: int, progress: str) -> None:
    assert progress in root(an_onboarding(at_step=at_step))


def test_the_root_shows_the_next_step_and_who_it_is_waiting_on() -> None:
    text = root(an_onboarding(at_step=6))

    assert "Next: Step 6: Complete the Application Registration Form" in text
    assert "Waiting on: Acme Plumbing since <!date^" in text
    assert "Phase 2 of 6: Developer Portal Configuration" in text


def test_the_root_links_to_the_current_step() -> None:
    message = root_message(an_onboarding(at_step=6), LINK)
    button = elements(message.blocks)["go_to_step"]

    assert f"<{LINK}|Step 6: Complete the Application Registration Form>" in message.text
    assert (button["text"]["text"], button["url"]) == ("Go to step 6", LINK)
    assert len(message.text) < 600
    assert problems(message) == []


@pytest.mark.parametrize("end", ["pause", "cancel"])
def test_the_root_has_no_step_link_while_paused_or_cancelled(end: str) -> None:
    before, who = an_onboarding(at_step=6), an_engineer()
    change = pause(before, who, NOW) if end == "pause" else cancel(before, who, "Why", NOW)

    assert elements(root_message(change.onboarding, LINK).blocks) == {}


def test_in_phase_6_it_is_the_engineers_turn() -> None:
    assert f"Waiting on: HeavySet Tech (<@{ENGINEER}>) since" in root(an_onboarding(at_step=23))


@pytest.mark.parametrize(
    ("onboarding", "words"),
    [
        (an_onboarding(at_step=22, credentials=ALL_FIELDS, report=None), "running…"),
        (an_onboarding(at_step=23), "passed"),
        (
            an_onboarding(at_step=23, report=FAILED),
            "needs a fix: re-enter Client ID and Client Secret",
        ),
        (an_onboarding(at_step=23, report=a_report(Outcome.UNKNOWN)), "couldn't finish, see the"),
    ],
    ids=["running", "passed", "failed", "unknown"],
)
def test_the_root_shows_the_verification_status(onboarding: Onboarding, words: str) -> None:
    assert f"Credential check: {words}" in root(onboarding)


def test_a_root_update_can_wait_unless_a_check_has_failed() -> None:
    shown = root_message(an_onboarding(at_step=21)).digest
    running, failed = (
        root_message(an_onboarding(at_step=22, credentials=ALL_FIELDS, report=report))
        for report in (None, FAILED)
    )

    assert running.digest != shown
    assert running.can_wait(shown)
    assert not failed.can_wait(shown)


def test_the_root_omits_the_verification_until_all_values_are_in() -> None:
    assert "Credential check" not in root(an_onboarding(at_step=20))


def test_a_failure_in_phase_6_makes_it_the_clients_turn_again() -> None:
    assert "Waiting on: Acme Plumbing" in root(an_onboarding(at_step=24, report=FAILED))


def test_the_root_of_a_completed_onboarding_says_setup_is_complete() -> None:
    text = root(a_completed_onboarding())

    assert "25 of 25 steps done" in text
    assert "🎉 Setup complete! Your ServiceTitan connection was verified <!date^" in text
    assert "Waiting on" not in text


def test_the_welcome_greets_the_clients_admins_and_names_the_engineer() -> None:
    message = welcome_message(an_onboarding(client_admins=(CLIENT_ADMIN, OTHER_ADMIN)))

    assert message.text.startswith("Welcome, Acme Plumbing!")
    assert f"Hi <@{CLIENT_ADMIN}> <@{OTHER_ADMIN}>! I'll walk you through" in message.text
    assert f"<@{ENGINEER}>" in message.text


def test_the_welcome_works_without_named_admins() -> None:
    assert "Hi! I'll walk you through" in welcome_message(an_onboarding(client_admins=())).text


def test_the_welcome_lists_every_prerequisite() -> None:
    text = html.unescape(welcome_message(an_onboarding()).text)

    for words in GUIDE.prerequisites:
        assert words in text


def test_the_welcome_warns_against_posting_secrets() -> None:
    text = welcome_message(an_onboarding()).text

    assert "Please don't post passwords or keys in this channel." in text


def test_neither_the_root_nor_the_welcome_has_buttons() -> None:
    onboarding = an_onboarding()

    assert not root_message(onboarding).has_buttons
    assert not welcome_message(onboarding).has_buttons
