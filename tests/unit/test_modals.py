"""The modals: what they ask for, what they carry, and that Slack accepts them."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from bot.guide import Step
from bot.guide.credential_fields import mask
from bot.views.forms import View
from bot.views.ids import FormRef
from bot.views.modals import (
    credentials_modal,
    fields_at,
    help_modal,
    hidden_modal,
    required_fields,
    reveal_modal,
    revealed_fields,
)
from bot.views.start import Around, invite_modal, start_modal
from tests.builders import (
    ALL_FIELDS,
    CHANNEL,
    CLIENT_ADMIN,
    ENGINEER,
    GUIDE,
    HOME_TEAM,
    VALUES,
    an_onboarding,
)
from tests.unit.rendering import a_form_ref, credentials_modal_at, problems, texts

STARTING = FormRef(CHANNEL, ENGINEER, HOME_TEAM)
ASKING_STEPS = [step for step in GUIDE.steps if step.credentials]
every_asking_step = pytest.mark.parametrize(
    "step", ASKING_STEPS, ids=lambda step: f"step {step.number}"
)
every_step = pytest.mark.parametrize("step", GUIDE.steps, ids=lambda step: f"step {step.number}")


def inputs(view: View) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def text_of(view: View) -> str:
    return "\n".join(texts(view))


# --- start ---


@pytest.mark.parametrize("name", ["", "Acme Plumbing", "x" * 80])
@pytest.mark.parametrize(
    "around",
    [None, Around(), Around((CLIENT_ADMIN,)), Around(alone=True), Around(alone=True, pending=True)],
    ids=[
        "looking up members",
        "members unknown",
        "client admin present",
        "client absent",
        "invitation pending",
    ],
)
def test_slack_accepts_the_start_modal(name: str, around: Around | None) -> None:
    running = [an_onboarding(at_step=3), an_onboarding(client_name="<!channel> & Sons")]

    assert problems(start_modal(STARTING, name, running, around)) == []


@pytest.mark.parametrize("name", ["", "Acme Plumbing", "x" * 80])
def test_slack_accepts_the_invite_modal(name: str) -> None:
    assert problems(invite_modal(STARTING, name, ["ann@acme.example", "bob@acme.example"])) == []


def test_the_start_modal_asks_for_the_client_its_admins_and_the_engineer() -> None:
    view = start_modal(STARTING, "Acme Plumbing", around=Around())

    assert view["callback_id"] == "start_onboarding"
    assert list(inputs(view)) == ["client_name", "client_admins", "engineer"]
    assert [field["element"]["action_id"] for field in inputs(view).values()] == list(inputs(view))
    assert [name for name, field in inputs(view).items() if field.get("optional")] == [
        "client_admins"
    ]


def test_the_start_modal_is_prefilled_with_known_values() -> None:
    fields = inputs(start_modal(STARTING, "Acme Plumbing"))

    assert fields["client_name"]["element"]["initial_value"] == "Acme Plumbing"
    assert fields["engineer"]["element"]["initial_user"] == ENGINEER


# --- credentials ---


@every_asking_step
@pytest.mark.parametrize("entered", [(), ALL_FIELDS], ids=["nothing stored", "all stored"])
@pytest.mark.parametrize("warned", [False, True])
def test_slack_accepts_the_credentials_modal(
    step: Step, entered: tuple[str, ...], warned: bool
) -> None:
    onboarding = an_onboarding(at_step=step.number, credentials=entered)
    warnings = dict.fromkeys(fields_at(onboarding, step.number), "Unusual.") if warned else None

    assert problems(credentials_modal_at(onboarding, step.number, warnings=warnings)) == []


@every_asking_step
def test_credential_blocks_are_named_after_their_fields(step: Step) -> None:
    fields = inputs(credentials_modal_at(an_onboarding(at_step=step.number), step.number))

    assert set(step.credentials) <= set(fields)
    assert [field["element"]["action_id"] for field in fields.values()] == list(fields)


@every_asking_step
def test_the_credentials_modal_is_never_prefilled_with_values(step: Step) -> None:
    view = credentials_modal_at(
        an_onboarding(at_step=step.number, credentials=ALL_FIELDS), step.number
    )

    assert "initial_value" not in json.dumps(view)


@pytest.mark.parametrize(
    ("step", "credentials", "fields"),
    [
        (11, (), ("booking_provider_id",)),
        (18, (), ("tenant_id", "client_id", "booking_provider_id")),
        (18, ("booking_provider_id",), ("tenant_id", "client_id")),
        (19, ("tenant_id", "client_id", "booking_provider_id"), ("client_secret",)),
        (22, ("tenant_id",), ("application_key", *ALL_FIELDS[1:3], "booking_provider_id")),
        (22, ALL_FIELDS, ("application_key",)),
    ],
)
def test_a_step_offers_its_own_fields_and_earlier_ones_that_are_missing(
    step: int, credentials: tuple[str, ...], fields: tuple[str, ...]
) -> None:
    onboarding = an_onboarding(at_step=step, credentials=credentials)

    assert set(fields_at(onboarding, step)) == set(fields)
    assert fields_at(onboarding, step)[0] == fields[0]


@every_asking_step
def test_no_step_asks_for_what_the_guide_has_not_shown_yet(step: Step) -> None:
    onboarding = an_onboarding(at_step=step.number, credentials=())

    shown = {field.id for field in GUIDE.credentials if field.step <= step.number}

    assert set(fields_at(onboarding, step.number)) <= shown


@pytest.mark.parametrize(
    ("step", "credentials", "required"),
    [
        (18, (), {"tenant_id", "client_id"}),
        (20, ("tenant_id", "client_id"), {"client_secret"}),
        (22, ("application_key",), set(ALL_FIELDS) - {"application_key"}),
        (22, (), set(ALL_FIELDS)),
    ],
)
def test_only_what_the_step_still_needs_is_required(
    step: int, credentials: tuple[str, ...], required: set[str]
) -> None:
    onboarding = an_onboarding(at_step=step, credentials=credentials)
    fields = inputs(credentials_modal_at(onboarding, step))

    assert {name for name, field in fields.items() if not field.get("optional")} == required


def test_a_form_about_a_single_value_needs_that_value() -> None:
    onboarding = an_onboarding(at_step=23)
    ref = a_form_ref(onboarding, 19, ("client_secret",))

    assert required_fields(onboarding, ref) == ("client_secret",)
    assert not inputs(credentials_modal(onboarding, ref))["client_secret"].get("optional")


def test_a_stored_value_is_shown_by_its_mask() -> None:
    hint = inputs(credentials_modal_at(an_onboarding(at_step=20), 20))["tenant_id"]["hint"]["text"]

    assert hint.startswith("On file: ending in 4455. Leave blank to keep it.")
    assert "Developer Portal → View Connections" in hint


def test_warnings_are_shown_and_can_be_confirmed() -> None:
    view = credentials_modal_at(an_onboarding(at_step=18), 18, warnings={"tenant_id": "Is it?"})

    assert "⚠️ *Tenant ID:* Is it?" in text_of(view)
    assert inputs(view)["confirm_unusual"]["optional"]


def test_without_a_warning_there_is_nothing_to_confirm() -> None:
    assert "confirm_unusual" not in inputs(credentials_modal_at(an_onboarding(at_step=18), 18))


# --- help, values, notices ---


@every_step
def test_slack_accepts_the_help_modal_of_every_step(step: Step) -> None:
    onboarding = an_onboarding(at_step=step.number)

    assert problems(help_modal(onboarding, a_form_ref(onboarding, step.number))) == []


@every_step
def test_help_lists_all_troubleshooting_with_this_steps_entries_first(step: Step) -> None:
    onboarding = an_onboarding(at_step=step.number)
    text = text_of(help_modal(onboarding, a_form_ref(onboarding, step.number)))
    positions = [text.index(trouble) for trouble in GUIDE.trouble_at(step.number)]

    assert all(text.count(trouble.text) == 1 for trouble in GUIDE.troubleshooting)
    assert all(position < text.index("What can we help with?") for position in positions)
    assert GUIDE.support in text


def test_help_shows_the_full_paragraph_and_the_tips_if_stuck() -> None:
    step = GUIDE.step(4)

    shown = "\n".join(texts(help_modal(an_onboarding(at_step=4), a_form_ref(an_onboarding(), 4))))

    assert step.more
    assert f"{step.body} {step.more}" in shown
    assert step.if_stuck[0] in shown


def test_the_help_modal_asks_for_a_question() -> None:
    onboarding = an_onboarding(at_step=7)
    view = help_modal(onboarding, a_form_ref(onboarding, 7))

    assert view["callback_id"] == "ask_for_help"
    assert inputs(view)["question"]["element"]["action_id"] == "question"


def revealed(shown: str = "") -> View:
    onboarding = an_onboarding(at_step=23)
    ref = a_form_ref(onboarding, 23, ALL_FIELDS)
    value = SecretStr(VALUES[shown]) if shown else None
    return reveal_modal(onboarding, ref, "reveal-1", shown=shown, value=value)


def test_the_reveal_modal_shows_masks_and_where_to_paste_values() -> None:
    view = revealed()

    assert problems(view) == []
    for name in ALL_FIELDS:
        assert mask(VALUES[name]) in text_of(view)
        assert f"Paste into: {GUIDE.field(name).destination.replace('>', '&gt;')}" in text_of(view)
    assert "logged and posted to the engineering channel" in text_of(view)
    assert not [name for name in ALL_FIELDS if VALUES[name] in json.dumps(view)]


@pytest.mark.parametrize("shown", ALL_FIELDS)
def test_only_one_credential_is_revealed_at_a_time(shown: str) -> None:
    view = revealed(shown)

    content = json.dumps(view)
    assert problems(view) == []
    assert [name for name in ALL_FIELDS if VALUES[name] in content] == [shown]
    assert content.count(VALUES[shown]) == 1
    others = [f"reveal_credentials:{name}" for name in ALL_FIELDS if name != shown]
    accessories = [one["accessory"] for one in view["blocks"] if "accessory" in one]
    assert [button["action_id"] for button in accessories] == others


def test_the_credentials_of_the_step_come_first() -> None:
    onboarding = an_onboarding(at_step=24)

    assert revealed_fields(onboarding, 24)[0] == "booking_provider_id"
    assert set(revealed_fields(onboarding, 24)) == set(ALL_FIELDS)


def test_slack_accepts_the_hidden_again_notice() -> None:
    assert problems(hidden_modal()) == []
