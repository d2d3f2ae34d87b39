"""A step's message: in full while it is current, one line afterwards, always valid for Slack."""

import html
import re
from collections.abc import Callable

import pytest

from bot.guide import Step
from bot.onboarding import Change, Onboarding, lifecycle
from bot.onboarding.steps import undo_step
from bot.views.blocks import Message
from bot.views.ids import StepRef
from bot.views.step import step_message
from tests.builders import (
    ALL_FIELDS,
    CLIENT_ADMIN,
    GUIDE,
    NOW,
    ONBOARDING_ID,
    a_client_admin,
    a_completed_onboarding,
    an_engineer,
    an_onboarding,
)
from tests.unit.rendering import buttons, elements, every_message, problems, texts, visible_texts

CURRENT = {step.number: an_onboarding(at_step=step.number) for step in GUIDE.steps}
DONE = a_completed_onboarding()
# What can change how a step looks, besides its own state.
SITUATIONS = {
    "at the beginning": an_onboarding(),
    "with an existing admin": an_onboarding(at_step=3, account="existing"),
    "without any value": an_onboarding(at_step=22, credentials=()),
    "while the verification runs": an_onboarding(at_step=20, credentials=ALL_FIELDS, report=None),
    "after an undo": undo_step(
        an_onboarding(at_step=23), 9, a_client_admin(), DONE.active_at
    ).onboarding,
    "completed": DONE,
} | {f"at step {number}": onboarding for number, onboarding in CURRENT.items()}
ASKING_STEPS = (11, 18, 19, 20, 22)

every_step = pytest.mark.parametrize("step", GUIDE.steps, ids=lambda step: f"step {step.number}")
every_situation = pytest.mark.parametrize(
    "onboarding", list(SITUATIONS.values()), ids=list(SITUATIONS)
)


def current(number: int) -> Message:
    return step_message(CURRENT[number], number)


def done(number: int) -> Message:
    return step_message(DONE, number)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", html.unescape(text))


@every_situation
def test_slack_accepts_every_message_in_the_thread(onboarding: Onboarding) -> None:
    for slot, message in every_message(onboarding).items():
        assert (slot, problems(message)) == (slot, [])


@every_situation
def test_the_plain_text_says_what_the_blocks_say(onboarding: Onboarding) -> None:
    for message in every_message(onboarding).values():
        said = iter(words(message.text))
        for block in message.blocks:
            assert all(word in said for word in words(" ".join(visible_texts(block)))), block


@every_situation
def test_every_message_has_its_onboarding_and_slot_in_the_metadata(onboarding: Onboarding) -> None:
    for slot, message in every_message(onboarding).items():
        assert message.metadata["event_type"] == "onboarding_message"
        payload = message.metadata["event_payload"]
        assert (payload["onboarding_id"], payload["slot"]) == (ONBOARDING_ID, slot)


# --- while it is current ---


@every_step
def test_the_current_step_has_the_buttons_that_it_needs(step: Step) -> None:
    expected = []
    if step.number in ASKING_STEPS:
        expected += ["enter_credentials"]
    if step.number in (23, 24):
        expected += ["reveal_credentials"]
    if step.number == 1:
        expected += ["choose_account:new", "choose_account:existing"]
    else:
        last = ["run_verification", "test_booking"]
        expected += last if step.number == 25 else ["step_done"]

    expected += ["step_help"] if step.number > 22 else ["step_help", "hand_over"]

    assert list(buttons(current(step.number))) == expected


@every_step
def test_a_button_value_holds_only_the_onboarding_and_the_step(step: Step) -> None:
    for value in buttons(current(step.number)).values():
        assert value == f"{ONBOARDING_ID}:{step.number}"
        assert StepRef.parse(value) == StepRef(ONBOARDING_ID, step.number)


@every_step
def test_the_current_step_is_shown_with_its_number_title_and_phase(step: Step) -> None:
    phase = GUIDE.phase_of(step.number)

    lines = list(texts(current(step.number).blocks))

    assert lines[0] == f"Step {step.number} of 25: {step.title}"
    is_first = step == phase.steps[0]
    name = f"Phase {phase.number} of 6: {phase.title.replace('&', '&amp;')}"
    assert lines[1].startswith(name) == is_first


@every_step
def test_the_current_step_shows_everything_the_guide_says_about_it(step: Step) -> None:
    said = [step.body, *step.items, *step.notes, *step.tips]
    for table in step.tables:
        filled = dict(table.blanks)
        said += [cell for row in table.rows for cell in row if row[0] not in filled]
    said += [step.figure.caption] if step.figure else []
    said += [option.label for option in step.choice.options] if step.choice else []

    text = html.unescape("\n".join(texts(current(step.number).blocks)))

    assert [words for words in said if words not in text] == []


@pytest.mark.parametrize(
    ("entered", "primary"), [((), "enter_credentials"), (ALL_FIELDS, "step_done")]
)
def test_only_the_next_button_is_highlighted(entered: tuple[str, ...], primary: str) -> None:
    message = step_message(an_onboarding(at_step=18, credentials=entered), 18)

    styled = [name for name, element in elements(message.blocks).items() if element.get("style")]

    assert styled == [primary]


def test_a_value_is_shown_with_its_name_mask_and_who_entered_it() -> None:
    text = "\n".join(texts(step_message(an_onboarding(at_step=20), 20).blocks))

    assert f"Tenant ID ending in 4455 — <@{CLIENT_ADMIN}>, <!date^" in text


def test_missing_values_are_shown_as_missing() -> None:
    text = "\n".join(texts(current(22).blocks))

    assert "Application Key: not entered yet" in text


def test_a_running_verification_is_shown() -> None:
    message = step_message(SITUATIONS["while the verification runs"], 20)

    assert "Checking your 5 credentials with ServiceTitan" in message.text


@pytest.mark.parametrize(
    "end",
    [
        lambda onboarding: lifecycle.pause(onboarding, an_engineer(), NOW),
        lambda onboarding: lifecycle.cancel(onboarding, an_engineer(), "They left", NOW),
    ],
    ids=["paused", "canceled"],
)
def test_a_verification_that_will_not_run_is_not_promised(
    end: Callable[[Onboarding], Change],
) -> None:
    onboarding = end(SITUATIONS["while the verification runs"]).onboarding

    assert "Checking your" not in step_message(onboarding, 20).text


@pytest.mark.parametrize("number", [3, 9, 12, 17, 23])
def test_only_the_first_step_of_the_last_phase_thanks_the_client(number: int) -> None:
    assert ("Your part is done" in current(number).text) == (number == 23)


# --- afterwards ---


@every_step
def test_a_finished_step_is_one_line_with_who_did_it_and_when(step: Step) -> None:
    lines = [block for block in done(step.number).blocks if block["type"] != "actions"]
    by = DONE.step(step.number).by

    assert by
    assert len(lines) == 1
    assert lines[0]["text"]["text"].startswith(f"✅ *Step {step.number}: ")
    assert f"— <@{by.user_id}>, <!date^" in lines[0]["text"]["text"]


@pytest.mark.parametrize("number", range(1, 25))
def test_the_last_finished_step_offers_undo_and_the_others_reopen(number: int) -> None:
    """Both ask for confirmation. Values can be re-entered where they were entered."""
    found = elements(step_message(CURRENT[25], number).blocks)
    back = "step_undo" if number == 24 else "reopen_step"

    assert set(found) == {back} | ({"enter_credentials"} if number in (11, 18, 19, 22) else set())
    assert found[back]["value"] == f"{ONBOARDING_ID}:{number}"
    assert f"step {number}?" in found[back]["confirm"]["title"]["text"]


@pytest.mark.parametrize("situation", ["paused", "cancelled", "completed"])
def test_steps_of_a_paused_or_ended_onboarding_have_no_buttons(situation: str) -> None:
    onboarding = {
        "paused": lifecycle.pause(CURRENT[20], an_engineer(), NOW).onboarding,
        "cancelled": lifecycle.cancel(CURRENT[20], an_engineer(), "They left.", NOW).onboarding,
        "completed": DONE,
    }[situation]

    assert [buttons(step_message(onboarding, number)) for number in range(1, 21)] == [{}] * 20


@pytest.mark.parametrize(
    ("number", "fields"),
    [
        (11, "booking_provider_id"),
        (18, "tenant_id:client_id"),
        (19, "client_secret"),
        (22, "application_key"),
    ],
)
def test_a_finished_step_lets_only_its_own_values_be_reentered(number: int, fields: str) -> None:
    value = buttons(step_message(CURRENT[25], number))["enter_credentials"]

    assert value == f"{ONBOARDING_ID}:{number}:{fields}"


def test_a_finished_step_still_shows_the_chosen_option() -> None:
    assert "(“Create a new account”)" in done(1).text


def test_a_skipped_step_says_why_and_has_no_buttons() -> None:
    message = step_message(SITUATIONS["with an existing admin"], 2)

    assert "skipped, because you chose “Use an existing admin” in step 1" in message.text
    assert not buttons(message)


def test_a_step_waiting_again_after_an_undo_has_no_buttons() -> None:
    message = step_message(SITUATIONS["after an undo"], 12)

    assert "coming up again later" in message.text
    assert not message.has_buttons
