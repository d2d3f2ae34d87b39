"""*Enter securely*: what the form asks for, what it refuses, and what it stores."""

import pytest

from sandbox.slack import View, visible_text
from sandbox.slack.forms import REQUIRED
from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import World, last_reply, running_world

pytestmark = pytest.mark.slow_slack

STORED = "SELECT field, mask, version FROM credential ORDER BY field"
FORMS = {
    11: {"booking_provider_id": True},
    18: {"tenant_id": True, "client_id": True, "booking_provider_id": False},
    19: {
        "client_secret": True,
        "booking_provider_id": False,
        "tenant_id": False,
        "client_id": False,
    },
    20: {
        "tenant_id": True,
        "client_id": True,
        "client_secret": True,
        "booking_provider_id": False,
    },
    22: {
        "application_key": True,
        "booking_provider_id": True,
        "tenant_id": True,
        "client_id": True,
        "client_secret": True,
    },
}
# What step 22's form refuses: field, value (`…` stands for the right one), part of the error.
REFUSED_VALUES = [
    ("tenant_id", "12ab345678", "is digits only"),
    ("tenant_id", "123 456 789", "space or line break in it"),
    ("tenant_id", "123", "Too short"),
    ("booking_provider_id", "HeavySet Tech", "Copy the number, not a name"),
    ("booking_provider_id", "HeavySet", "is digits only"),
    ("client_id", "Client ID: …", "The label “Client ID” got copied too"),
    ("client_id", "“…”", "Quotation marks"),
    ("client_id", "cid.é…", "character in it"),
    (
        "client_secret",
        "cid.abcdefghijklmnopqrstuvwxy",
        "Client ID (it starts with “cid.”)",
    ),
    ("client_secret", "1122334455", "a number, like the Tenant ID or the Booking Provider ID"),
    ("booking_provider_id", "……", "pasted twice"),
    ("booking_provider_id", "0…", "start with a zero"),
    ("application_key", "a1b2c3d4e5f6g", "That's the App ID"),
    ("client_id", "….", "“.” at the end"),
    ("tenant_id", "(…)", "“(” at the start and a “)” at the end"),
    ("client_secret", "cs1.tooshort", "Too short (12 characters)"),
    (
        "application_key",
        "cs1.abcdefghijklmnopqrstuvwxy",
        "Client Secret (it starts with “cs1.”)",
    ),
]


def inputs(view: View) -> dict[str, bool]:
    """The form's inputs, and whether they are required."""
    return {
        block["block_id"]: not block["optional"] if "optional" in block else True
        for block in view.blocks
        if block["type"] == "input"
    }


async def test_a_form_asks_only_for_values_the_guide_has_shown_so_far(
    begun: World, subtests: pytest.Subtests
) -> None:
    for step, expected in FORMS.items():
        with subtests.test(step=step):
            await begun.walk_to(step)

            view = await begun.open(begun.ann, f"step:{step}", "enter_credentials")

            assert inputs(view) == expected
            assert not any("initial_value" in block.get("element", {}) for block in view.blocks)


async def test_a_required_value_cannot_be_left_empty(begun: World) -> None:
    await begun.walk_to(18)

    answer = await begun.enter(begun.ann, 18, client_id=begun.servicetitan.client_id)

    assert answer.errors == {"tenant_id": REQUIRED}


async def test_whitespace_alone_is_not_a_value(begun: World) -> None:
    await begun.walk_to(11)

    answer = await begun.enter(begun.ann, 11, booking_provider_id=" \u200b ")

    assert answer.errors == {"booking_provider_id": "Please enter the Booking Provider ID."}


async def test_a_value_is_acknowledged_by_mask_and_submitter(begun: World) -> None:
    await begun.walk_to(11)

    answer = await begun.enter(begun.ann, 11, booking_provider_id=" \u200b 123456789\u00a0")

    assert answer.ok
    assert begun.ann.view is None
    text = begun.message("step:11").text
    assert f"Booking Provider ID ending in 6789 — <@{begun.ann.id}>" in text
    assert begun.rows(STORED) == [("booking_provider_id", "••••6789", 1)]
    assert begun.events("credential_entered") == [(begun.ann.id, 11)]
    assert "12345" not in "".join(message.text for message in begun.channel.messages)


async def test_earlier_values_can_be_entered_later(begun: World) -> None:
    await begun.walk_to(18)
    values = begun.servicetitan.credentials
    later = {name: values[name] for name in FORMS[18]}

    assert (await begun.enter(begun.ann, 18, **later)).ok

    assert [field for field, *_ in begun.rows(STORED)] == sorted(later)
    view = await begun.open(begun.ann, "step:11", "enter_credentials")
    assert inputs(view) == {"booking_provider_id": True}


async def test_a_wrong_value_is_named_at_its_field(begun: World, subtests: pytest.Subtests) -> None:
    await begun.walk_to(22)
    right = begun.servicetitan.credentials
    view = await begun.open(begun.ann, "step:22", "enter_credentials")
    for field, value, error in REFUSED_VALUES:
        with subtests.test(error):
            wrong = {field: value.replace("…", right[field])}

            answer = await begun.submit(begun.ann, view, **{**right, **wrong})

            assert list(answer.errors) == [field]
            assert error in answer.errors[field]
            assert value not in "".join(answer.errors.values())
            assert begun.rows(STORED) == []
            assert begun.ann.view is view


async def test_a_value_that_is_stored_for_another_field_is_refused(begun: World) -> None:
    await begun.walk_to(11)
    await begun.enter(begun.ann, 11, booking_provider_id="123456789")
    await begun.walk_to(18)

    client_id = begun.servicetitan.client_id
    answer = await begun.enter(begun.ann, 18, tenant_id="123456789", client_id=client_id)

    assert "the same as the Booking Provider ID" in answer.errors["tenant_id"]


async def test_all_wrong_values_are_reported_together(begun: World) -> None:
    await begun.walk_to(18)

    answer = await begun.enter(begun.ann, 18, tenant_id="x1", client_id="cs1.abcdefghijklmnopq")

    assert answer.errors.keys() == {"tenant_id", "client_id"}


async def test_an_unusual_value_is_stored_only_after_confirmation(begun: World) -> None:
    await begun.walk_to(18)
    values = {"tenant_id": "123456789", "client_id": "abcdefghijkl"}

    assert (await begun.enter(begun.ann, 18, **values)).ok
    view = begun.view_of(begun.ann)

    assert "⚠️ *Client ID:*" in visible_text(view)
    assert "abcdefghijkl" not in str(view.content)  # Slack keeps what was typed
    assert view.typed["client_id", "client_id"]["value"] == "abcdefghijkl"
    assert begun.rows(STORED) == []

    unticked = await begun.submit(begun.ann, view)
    assert list(unticked.errors) == ["confirm_unusual"]
    assert begun.rows(STORED) == []

    assert (await begun.submit(begun.ann, view, confirm_unusual="confirmed")).ok
    assert begun.ann.view is None
    assert [field for field, *_ in begun.rows(STORED)] == ["client_id", "tenant_id"]


async def test_confirming_does_not_let_an_invalid_value_through(begun: World) -> None:
    await begun.walk_to(18)
    await begun.enter(begun.ann, 18, tenant_id="123456789", client_id="abcdefghijkl")

    answer = await begun.submit(
        begun.ann, begun.view_of(begun.ann), client_id="has space", confirm_unusual="confirmed"
    )

    assert list(answer.errors) == ["client_id"]
    assert begun.rows(STORED) == []


@ON_BOTH
async def test_the_form_stays_open_while_the_database_is_locked(begun: World) -> None:
    await begun.walk_to(11)
    view = await begun.open(begun.ann, "step:11", "enter_credentials")

    with begun.database.locked():
        answer = await begun.submit(begun.ann, view, booking_provider_id="123456789")

    assert "Not saved" in answer.errors["booking_provider_id"]
    assert view.typed["booking_provider_id", "booking_provider_id"]["value"] == "123456789"
    assert begun.rows(STORED) == []

    assert (await begun.submit(begun.ann, view)).ok
    assert begun.rows(STORED) == [("booking_provider_id", "••••6789", 1)]


@ON_BOTH
async def test_a_replaced_value_is_destroyed(database: AnyDatabase) -> None:
    query = "SELECT ciphertext FROM credential"
    async with running_world(database) as world:
        await world.begin()
        await world.walk_to(11)
        await world.enter(world.ann, 11, booking_provider_id="123456789")
        [(old,)] = world.rows(query)

        await world.enter(world.ann, 11, booking_provider_id="987654321")

        [(new,)] = world.rows(query)
        assert world.rows(STORED) == [("booking_provider_id", "••••4321", 2)]
        assert world.events("credential_replaced") == [(world.ann.id, 11)]

    kept = database.content()
    assert new in kept
    assert old not in kept


async def test_a_form_opened_by_someone_else_is_refused(begun: World) -> None:
    bob = begun.slack.add_person("Bob Boss", begun.ann.team)
    await begun.slack.admin.invite(begun.channel, bob)
    await begun.walk_to(11)
    await begun.enter(begun.ann, 11, booking_provider_id="not a number")
    forged = begun.last_interaction
    forged["user"]["id"] = bob.id
    forged["view"]["state"]["values"]["booking_provider_id"]["booking_provider_id"] = {
        "type": "plain_text_input",
        "value": "123456789",
    }

    ack = await begun.send(forged)

    assert "Someone else opened this" in (ack.json() or {})["errors"]["booking_provider_id"]
    assert begun.rows(STORED) == []


async def test_a_modal_that_fails_to_open_asks_the_person_to_press_again(begun: World) -> None:
    await begun.walk_to(11)
    begun.slack.fail_next("views.open", error="expired_trigger_id")

    await begun.press(begun.ann, "step:11", "enter_credentials")

    assert "Please try again" in last_reply(begun.ann)


async def test_a_step_without_values_has_no_form(begun: World) -> None:
    value = f"{begun.onboarding}:1"

    await begun.ann.press_raw(begun.message("step:1"), "enter_credentials", value)
    await begun.idle()

    assert "Nothing to enter" in last_reply(begun.ann)
    assert begun.ann.view is None


@pytest.mark.parametrize(
    "template", ["\u202a{}\u202c", "\u200e{}\ufeff", "\u2066{}\u2069\n", "\ufffc{}"]
)
async def test_invisible_characters_around_a_value_are_ignored(begun: World, template: str) -> None:
    await begun.walk_to(11)
    value = str(begun.servicetitan.credentials["booking_provider_id"])

    answer = await begun.enter(begun.ann, 11, booking_provider_id=template.format(value))

    assert answer.ok
    assert f"{value[-4:]}" in begun.message("step:11").text


async def test_full_width_digits_are_accepted(begun: World) -> None:
    await begun.walk_to(11)
    value = str(begun.servicetitan.credentials["booking_provider_id"])
    full_width = value.translate({ord(digit): ord(digit) - ord("0") + 0xFF10 for digit in value})

    assert (await begun.enter(begun.ann, 11, booking_provider_id=full_width)).ok
    assert value[-4:] in begun.message("step:11").text


async def test_the_error_names_the_other_field_a_value_is_stored_for(begun: World) -> None:
    await begun.walk_to(22)
    values = begun.servicetitan.credentials
    ids = {name: values[name] for name in ("tenant_id", "client_id")}
    assert (await begun.enter(begun.ann, 18, **ids)).ok

    answer = await begun.enter(begun.ann, 19, client_secret=values["tenant_id"])

    assert "the same as the Tenant ID" in answer.errors["client_secret"]
