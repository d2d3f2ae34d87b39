"""Stored values: an engineer's look at them, and values that cannot be read any more."""

import pytest

import handlers.answers
from sandbox.slack import View, visible_text
from tests.integration.world import World, told

# What somebody may do to a stored value: assignments, and what stands for their `?`.
ALTERED: dict[str, tuple[str, *tuple[bytes, ...]]] = {
    "altered": ("ciphertext = ?", bytes(64)),
    "cut off": ("ciphertext = substr(ciphertext, 1, 5)",),
    "moved": ("ciphertext = (SELECT ciphertext FROM credential WHERE field = 'client_id')",),
    "under another mask": ("mask = '••••0000'",),
    "of a key that is not there": ("key_id = '00000000'",),
}


RESTORE = "UPDATE credential SET ciphertext = ?, mask = ?, key_id = ? WHERE field = 'client_secret'"


@pytest.fixture
async def handed_over(begun: World) -> World:
    await begun.walk_to(23)
    return begun


def alter(world: World, how: str, field: str) -> None:
    assignment, *values = ALTERED[how]
    world.write(f"UPDATE credential SET {assignment} WHERE field = ?", *values, field)  # noqa: S608


def shown(world: World, view: View) -> set[str]:
    text = visible_text(view)
    return {name for name, value in world.servicetitan.credentials.items() if value in text}


async def test_an_engineer_sees_the_five_values_with_their_destinations(handed_over: World) -> None:
    view = await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")

    assert shown(handed_over, view) == handed_over.servicetitan.credentials.keys()
    assert "Connections → CRM → Edit Config → CRM Connection Settings" in visible_text(view)
    assert "submit" not in view.content


async def test_step_24_shows_the_booking_provider_id_alone(handed_over: World) -> None:
    await handed_over.press(handed_over.erin, "step:23", "step_done")

    view = await handed_over.open(handed_over.erin, "step:24", "reveal_credentials")

    assert shown(handed_over, view) == {"booking_provider_id"}


async def test_looking_is_recorded_and_announced(handed_over: World) -> None:
    await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")

    assert handed_over.events("credentials_revealed") == [(handed_over.erin.id, None)]
    [told_] = [text for text in handed_over.announced if "looked at" in text]
    assert f"<@{handed_over.erin.id}>" in told_
    assert "Client Secret" in told_


async def test_a_client_who_presses_reveal_sees_and_leaves_nothing(handed_over: World) -> None:
    await handed_over.press(handed_over.ann, "step:23", "reveal_credentials")

    assert handed_over.ann.view is None
    assert "Only HeavySet engineers can see stored values" in told(handed_over.ann)
    assert handed_over.events("credentials_revealed") == []


async def test_no_value_is_revealed_from_another_channel(handed_over: World) -> None:
    value = f"{handed_over.onboarding}:23"
    message = handed_over.message("step:23")

    await handed_over.erin.press_raw(
        message, "reveal_credentials", value, channel=handed_over.engineering
    )
    await handed_over.idle()

    assert "another channel" in told(handed_over.erin)
    assert handed_over.erin.view is None


async def test_a_value_that_cannot_be_read_is_refused_and_not_guessed(
    handed_over: World, subtests: pytest.Subtests
) -> None:
    [(ciphertext, mask, key)] = handed_over.rows(
        "SELECT ciphertext, mask, key_id FROM credential WHERE field = 'client_secret'"
    )
    for name in ALTERED:
        with subtests.test(name):
            handed_over.write(RESTORE, ciphertext, mask, key)
            assert await handed_over.warnings() == []
            alter(handed_over, name, "client_secret")

            await handed_over.press(handed_over.erin, "step:23", "reveal_credentials")
            [warning] = await handed_over.warnings()

            assert "A stored value cannot be read" in told(handed_over.erin)
            assert handed_over.erin.view is None
            assert handed_over.events("credentials_revealed") == []
            assert "stored values" in warning


async def test_a_ciphertext_of_another_client_does_not_open_here(handed_over: World) -> None:
    beta = handed_over.slack.add_channel("beta", handed_over.erin)
    other = await handed_over.begin("Beta Heating", beta)
    handed_over.write("UPDATE credential SET onboarding_id = ?", other)

    assert f"of onboarding {other}: the stored value was altered or moved" in "".join(
        await handed_over.warnings()
    )


async def test_a_value_that_cannot_be_read_can_be_entered_again(begun: World) -> None:
    await begun.walk_to(22)
    await begun.enter(begun.ann, 22, **begun.servicetitan.credentials)
    alter(begun, "altered", "application_key")

    key = begun.servicetitan.application_key
    assert (await begun.enter(begun.ann, 22, application_key=key)).ok

    assert await begun.warnings() == []


async def test_the_values_are_hidden_again_after_a_while(
    handed_over: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers.answers, "REVEALED_SECONDS", 0.01)
    await handed_over.press(handed_over.erin, "step:23", "reveal_credentials")
    secret = handed_over.servicetitan.credentials["client_secret"]

    await handed_over.slack.until(
        lambda: "hidden again. Press" in visible_text(handed_over.view_of(handed_over.erin))
    )

    assert secret not in visible_text(handed_over.view_of(handed_over.erin))


async def test_an_older_value_that_was_put_back_is_not_taken(handed_over: World) -> None:
    [old] = handed_over.rows("SELECT * FROM credential WHERE field = 'client_secret'")
    new = handed_over.servicetitan.regenerate_secret()
    await handed_over.enter(handed_over.ann, 19, client_secret=new)
    handed_over.write("DELETE FROM credential WHERE field = 'client_secret'")
    marks = ", ".join("?" * len(old))
    handed_over.write(f"INSERT INTO credential VALUES ({marks})", *old)  # noqa: S608

    [warning] = await handed_over.warnings()

    assert "an older value was put back" in warning
