"""A reminder: short, friendly, addressed to whoever has to act, and with the buttons to do it."""

from dataclasses import replace

import pytest

from bot.guide import Owner
from bot.onboarding import BOT, Onboarding, assignment, lifecycle
from bot.onboarding.posted_secrets import record_posted_secret
from bot.onboarding.questions import ask_for_help
from bot.onboarding.reminders import remind, snooze
from bot.onboarding.steps import choose_option, finish_step, hand_over_steps
from bot.onboarding.verification_report import Outcome
from bot.publishing.desired import desired
from bot.views.blocks import Message
from bot.views.step import step_message
from storage.posted_messages import Posted
from tests.builders import (
    ALL_FIELDS,
    CLIENT_ADMIN,
    ENGINEER,
    GUIDE,
    MINUTE,
    NOW,
    ONBOARDING_ID,
    OTHER_ADMIN,
    a_client_admin,
    a_report,
    an_engineer,
    an_onboarding,
)
from tests.unit.rendering import buttons, problems

ANN, ERIN = a_client_admin(), an_engineer()
LATER = NOW + 24 * 60 * MINUTE
SECRET = ("client_secret",)
FAILED = a_report(Outcome.FAILED, SECRET)


def handed_over(onboarding: Onboarding, number: int) -> Onboarding:
    """The onboarding with one of the client's steps marked as handed over to HeavySet."""
    steps = (replace(step, handed_over=step.number == number) for step in onboarding.steps)
    return replace(onboarding, steps=tuple(steps))


CLIENTS_TURN = an_onboarding(at_step=4)
QUESTION = ask_for_help(CLIENTS_TURN, 4, "Which <button>?", ANN, NOW + 10 * MINUTE).onboarding
SITUATIONS = {
    "the client's turn": CLIENTS_TURN,
    "no client admin is known": an_onboarding(client_admins=()),
    "HeavySet's turn": an_onboarding(at_step=23),
    "a handed-over step": hand_over_steps(CLIENTS_TURN, 4, ANN, NOW).onboarding,
    "an open question": QUESTION,
    "a question during HeavySet's turn": ask_for_help(
        an_onboarding(at_step=24), 24, "When?", ANN, NOW
    ).onboarding,
    "a rejected value": an_onboarding(at_step=22, report=FAILED, credentials=ALL_FIELDS),
    "a rejected value in phase 6": an_onboarding(at_step=23, report=FAILED),
    "a rejected value that HeavySet enters": handed_over(
        an_onboarding(at_step=23, report=FAILED), 19
    ),
    "a failed check without a wrong value": an_onboarding(
        at_step=23, report=a_report(Outcome.FAILED)
    ),
    "ServiceTitan is down": an_onboarding(at_step=25, report=a_report(Outcome.UNKNOWN, retry=True)),
    "ServiceTitan was down for too long": an_onboarding(
        at_step=25, report=a_report(Outcome.UNKNOWN)
    ),
    "a posted secret": record_posted_secret(
        an_onboarding(at_step=22), SECRET, ANN, LATER
    ).onboarding,
    "a posted secret and another rejected value": record_posted_secret(
        an_onboarding(at_step=23, report=FAILED), ("application_key",), ANN, LATER
    ).onboarding,
    "the verification is running": an_onboarding(at_step=22, credentials=ALL_FIELDS, report=None),
} | {f"step {step.number}": an_onboarding(at_step=step.number) for step in GUIDE.steps}

every_situation = pytest.mark.parametrize(
    "onboarding", list(SITUATIONS.values()), ids=list(SITUATIONS)
)


def reminded(onboarding: Onboarding) -> Onboarding:
    return remind(onboarding, BOT, onboarding.active_at + 24 * 60 * MINUTE).onboarding


def shown(onboarding: Onboarding, number: int = 1, *, posted: bool = True) -> Message:
    """A reminder's message as the thread should show it."""
    slot = f"reminder:{number}"
    known = {slot: Posted(slot, "1.1", "", None)} if posted else {}
    return {message.slot: message for message in desired(onboarding, known)}[slot]


def reminder(situation: str) -> Message:
    return shown(reminded(SITUATIONS[situation]), posted=False)


@every_situation
def test_slack_accepts_every_reminder(onboarding: Onboarding) -> None:
    assert problems(shown(reminded(onboarding))) == []


@every_situation
def test_a_reminder_has_slot_metadata_and_a_snooze_button(onboarding: Onboarding) -> None:
    message = shown(reminded(onboarding))

    assert message.metadata["event_payload"]["slot"] == "reminder:1"
    assert buttons(message)["snooze"].startswith(f"{ONBOARDING_ID}:")


# --- whose turn ---


@pytest.mark.parametrize(
    ("situation", "whom", "words"),
    [
        ("the client's turn", f"Hi <@{CLIENT_ADMIN}>", "step 4 is waiting for you"),
        ("no client admin is known", "Hi Acme Plumbing", "step 1 is waiting for you"),
        ("HeavySet's turn", f"<@{ENGINEER}>", "Acme Plumbing, nothing for you to do."),
        ("a handed-over step", f"<@{ENGINEER}>", "this one is waiting on us"),
        ("an open question", f"<@{ENGINEER}>", f"<@{CLIENT_ADMIN}> asked about step 4"),
        ("a question during HeavySet's turn", f"<@{ENGINEER}>", "asked about step 24"),
        ("a rejected value", f"Hi <@{CLIENT_ADMIN}>", "is waiting for you"),
        ("a rejected value in phase 6", f"Hi <@{CLIENT_ADMIN}>", "is waiting for you"),
        ("a rejected value that HeavySet enters", f"<@{ENGINEER}>", "this one is waiting on us"),
        ("a posted secret", f"Hi <@{CLIENT_ADMIN}>", "is waiting for you"),
        ("ServiceTitan is down", f"<@{ENGINEER}>", "this one is waiting on us"),
    ],
)
def test_a_reminder_begins_with_whose_turn_it_is(situation: str, whom: str, words: str) -> None:
    first = reminder(situation).text.splitlines()[0]

    assert first.startswith(f"👋 {whom}, ")
    assert words in first


def test_all_named_client_admins_are_mentioned() -> None:
    both = an_onboarding(client_admins=(CLIENT_ADMIN, OTHER_ADMIN))

    assert f"👋 Hi <@{CLIENT_ADMIN}> and <@{OTHER_ADMIN}>, a" in shown(reminded(both)).text


def test_without_named_admins_the_last_two_people_to_act_are_mentioned() -> None:
    onboarding = an_onboarding(client_admins=())
    for number, user in enumerate((CLIENT_ADMIN, OTHER_ADMIN, "U0CYD"), start=1):
        at, actor = onboarding.active_at + MINUTE, a_client_admin(user)
        if number == 1:
            onboarding = choose_option(onboarding, 1, "new", actor, at).onboarding
        else:
            onboarding = finish_step(onboarding, number, actor, at).onboarding

    assert f"👋 Hi <@U0CYD> and <@{OTHER_ADMIN}>, a" in shown(reminded(onboarding)).text


def test_a_reminder_shows_the_time_since_the_last_activity() -> None:
    assert "(last activity <!date^" in reminder("the client's turn").text
    assert ", 1 day ago)" in reminder("the client's turn").text


def test_a_manual_reminder_says_who_sent_it() -> None:
    by_hand = remind(CLIENTS_TURN, ERIN, LATER).onboarding

    assert f"a friendly nudge from <@{ENGINEER}>: step 4 is waiting for you" in shown(by_hand).text


# --- what to do ---


@pytest.mark.parametrize("number", [step.number for step in GUIDE.steps])
def test_a_reminder_repeats_the_current_step_with_its_buttons(number: int) -> None:
    onboarding, step = SITUATIONS[f"step {number}"], GUIDE.step(number)
    message = shown(reminded(onboarding))
    own = buttons(step_message(onboarding, number))

    assert f"Step {number} of 25: " in message.text
    assert step.short
    assert step.short.partition("{")[0] in message.text
    assert buttons(message) == {**own, "snooze": f"{ONBOARDING_ID}:{number}"}


def test_a_reminder_omits_the_clients_question_but_shows_its_step() -> None:
    message = reminder("an open question")

    assert "button" not in message.text.split("Step 4 of 25")[0]
    assert "Acme Plumbing, feel free to keep going" in message.text
    assert "step_done" in buttons(message)


def test_a_rejected_value_can_be_reentered_from_the_reminder() -> None:
    message = reminder("a rejected value")

    assert "ServiceTitan didn't accept everything. Please re-enter Client Secret (step 19)" in (
        message.text
    )
    values = [
        element["value"]
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == "enter_credentials"
    ]
    assert f"{ONBOARDING_ID}:19:client_secret" in values


def test_a_client_with_wrong_values_is_not_shown_heavysets_step() -> None:
    message = reminder("a rejected value in phase 6")

    assert "Step 23 of 25" not in message.text
    assert set(buttons(message)) == {"enter_credentials", "step_help", "snooze"}


def test_an_exposed_secret_leads_back_to_the_step_that_generates_it() -> None:
    message = reminder("a posted secret")

    assert "Posted in the channel: Client Secret (step 19)" in message.text
    assert "Client Secret (step 19)" in message.text
    assert "Step 19 of 25" in message.text
    assert buttons(message)["enter_credentials"] == f"{ONBOARDING_ID}:19"


def test_an_exposed_value_is_not_also_reported_as_wrong() -> None:
    onboarding = record_posted_secret(
        an_onboarding(at_step=23, report=FAILED), SECRET, ANN, LATER
    ).onboarding

    assert "didn't accept" not in shown(reminded(onboarding)).text


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        ("ServiceTitan is down", "Nothing is wrong with what you entered. I'll keep trying."),
        ("ServiceTitan was down for too long", "Nothing is wrong with what you entered."),
        (
            "a failed check without a wrong value",
            "The last check found a setup problem, not a wrong credential.",
        ),
    ],
)
def test_a_check_that_blocks_progress_is_explained(situation: str, words: str) -> None:
    assert words in reminder(situation).text


def test_a_reminder_does_not_mention_a_passed_check() -> None:
    assert "check" not in reminder("HeavySet's turn").text.split("Step 23")[0]


# --- once it is settled ---

REMINDED = reminded(CLIENTS_TURN)
REMINDED_AT = REMINDED.reminders[0].at


@pytest.mark.parametrize(
    ("onboarding", "words"),
    [
        (finish_step(REMINDED, 4, ANN, LATER).onboarding, "taken care of. Thanks!"),
        (
            snooze(REMINDED, ANN, REMINDED_AT, LATER).onboarding,
            f"Snoozed by <@{CLIENT_ADMIN}>. I'll check back <!date^",
        ),
        (remind(REMINDED, ERIN, REMINDED_AT + 60 * MINUTE).onboarding, "see the newer one below."),
        (lifecycle.pause(REMINDED, ERIN, LATER).onboarding, "taken care of. Thanks!"),
        (
            lifecycle.cancel(REMINDED, ERIN, "They left.", LATER).onboarding,
            "taken care of. Thanks!",
        ),
    ],
    ids=["done", "snoozed", "repeated", "paused", "cancelled"],
)
def test_a_settled_reminder_is_one_line_without_buttons(onboarding: Onboarding, words: str) -> None:
    message = shown(onboarding)

    assert len(message.blocks) == 1
    assert buttons(message) == {}
    assert message.text.startswith(("✅", "💤", "🔔"))
    assert words in message.text


def test_a_reminder_settled_before_it_was_posted_is_never_posted() -> None:
    onboarding = finish_step(REMINDED, 4, ANN, LATER).onboarding

    assert "reminder:1" not in {message.slot for message in desired(onboarding, {})}


def test_a_reminder_is_posted_after_everything_else() -> None:
    assert [message.slot for message in desired(REMINDED, {})][-1] == "reminder:1"


def test_a_reminder_mentions_the_new_engineer_after_a_reassignment() -> None:
    onboarding = assignment.assign(
        reminded(SITUATIONS["HeavySet's turn"]), "U0EVE", ERIN, LATER
    ).onboarding

    assert onboarding.reminders[0].to is Owner.HEAVYSET
    assert "👋 <@U0EVE>" in shown(onboarding).text
