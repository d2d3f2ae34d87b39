"""A message's digest changes if and only if something in the message does."""

from dataclasses import replace

import pytest

from bot.onboarding import Onboarding
from bot.onboarding.credentials import enter_credentials
from bot.onboarding.questions import ask_for_help
from bot.onboarding.steps import finish_step, undo_step
from bot.onboarding.verification_report import Outcome
from bot.onboarding.verifications import request_verification
from bot.publishing.desired import MAX_JUMPS, desired
from bot.views.blocks import Message
from storage.posted_messages import Posted
from tests.builders import (
    ALL_FIELDS,
    MINUTE,
    NOW,
    a_client_admin,
    a_new_onboarding,
    a_report,
    an_engineer,
    an_onboarding,
    verified,
)
from tests.unit.rendering import every_message

ANN = a_client_admin()
LATER = NOW + 60 * MINUTE


def changed(before: Onboarding, after: Onboarding) -> set[str]:
    """The slots whose messages would have to be posted or updated."""
    old, new = every_message(before), every_message(after)
    return {slot for slot in new if slot not in old or old[slot].digest != new[slot].digest}


def test_the_same_state_gives_the_same_digests() -> None:
    assert changed(an_onboarding(at_step=9), an_onboarding(at_step=9)) == set()


def test_done_updates_the_root_and_the_steps_around_it() -> None:
    before = an_onboarding(at_step=9)

    after = finish_step(before, 9, ANN, LATER).onboarding

    assert changed(before, after) == {"root", "step:8", "step:9", "step:10"}


def test_undo_updates_the_root_and_all_steps_from_the_one_before_it() -> None:
    before = an_onboarding(at_step=9)

    after = undo_step(before, 7, ANN, LATER).onboarding

    assert changed(before, after) == {"root", "step:6", "step:7", "step:8", "step:9", "jump:1"}


def test_after_many_undos_only_the_latest_jump_messages_are_rendered() -> None:
    onboarding = an_onboarding(at_step=9)
    for number in range(300):
        now = LATER + number * MINUTE
        onboarding = undo_step(onboarding, 8, ANN, now).onboarding
        onboarding = finish_step(onboarding, 8, ANN, now).onboarding
    onboarding = undo_step(onboarding, 8, ANN, LATER + 300 * MINUTE).onboarding
    slots = [f"jump:{number + 1}" for number in range(300)]
    posted = {slot: Posted(slot, "1795426200.000200", None, None) for slot in slots}

    rendered = [
        message.slot for message in desired(onboarding, posted) if message.slot.startswith("jump:")
    ]

    assert rendered == [*slots, "jump:301"][-MAX_JUMPS:]


def test_a_new_value_updates_the_steps_that_show_it_but_not_the_root() -> None:
    before = an_onboarding(at_step=20)

    after = enter_credentials(before, 18, {"tenant_id": "••••0001"}, ANN, LATER).onboarding

    assert changed(before, after) == {"step:18", "step:20"}


def test_a_new_verification_updates_the_step_and_the_previous_report() -> None:
    before = an_onboarding(at_step=25)

    after = request_verification(before, an_engineer(), LATER).onboarding

    assert changed(before, after) == {"root", "step:25", "verification:1"}


def test_a_verification_result_is_posted_and_updates_root_and_step() -> None:
    before = request_verification(an_onboarding(at_step=25), an_engineer(), LATER).onboarding

    after = verified(before, a_report(Outcome.FAILED, ("client_secret",)), now=LATER)

    assert changed(before, after) == {"root", "step:25", "verification:2"}


def test_asking_for_help_updates_only_the_root() -> None:
    before = an_onboarding(at_step=9)

    after = ask_for_help(before, 9, "How?", ANN, LATER).onboarding

    assert changed(before, after) == {"root"}


@pytest.mark.parametrize(
    "field", [{"revision": 9}, {"thread_ts": "1.1"}, {"started_at": LATER}, {"channel": "C2"}]
)
def test_fields_not_shown_in_messages_do_not_change_digests(field: dict[str, object]) -> None:
    before = an_onboarding(at_step=23)

    assert changed(before, replace(before, **field)) == set()  # type: ignore[arg-type]


def test_reassigning_updates_the_root_the_welcome_and_the_phase_6_step() -> None:
    before = an_onboarding(at_step=23)

    after = replace(before, engineer="U0EVE")

    assert changed(before, after) == {"root", "welcome", "step:23"}


A_MESSAGE = Message("id", "root", [{"type": "divider"}], "text", {"outcome": "passed"})


@pytest.mark.parametrize(
    "other",
    [
        replace(A_MESSAGE, text="other"),
        replace(A_MESSAGE, blocks=[]),
        replace(A_MESSAGE, payload={"outcome": "failed"}),
    ],
    ids=["text", "blocks", "payload"],
)
def test_text_blocks_and_payload_all_affect_the_digest(other: Message) -> None:
    assert other.digest != A_MESSAGE.digest


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    first = replace(A_MESSAGE, payload={"a": 1, "b": 2})
    second = replace(A_MESSAGE, payload={"b": 2, "a": 1})

    assert first.digest == second.digest


def test_entering_all_values_at_step_1_updates_only_root_and_step_1() -> None:
    before = a_new_onboarding().onboarding
    masks = dict.fromkeys(ALL_FIELDS, "••••")

    after = enter_credentials(before, 1, masks, ANN, LATER).onboarding

    assert changed(before, after) == {"root", "step:1"}
