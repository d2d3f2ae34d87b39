"""Stored values: an engineer's look at them, and values that cannot be read any more."""

from datetime import timedelta
from typing import Any

import pytest

import bot.use_cases.reveals
from sandbox.slack import View, visible_text
from tests.integration.world import World, from_now, held, now, told

pytestmark = pytest.mark.slow_slack

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


def hidden(world: World) -> bool:
    return "These are hidden again" in visible_text(world.view_of(world.erin))


def waiting(world: World) -> int:
    return len(world.rows("SELECT id FROM reveal"))


def overdue(world: World) -> None:
    world.write("UPDATE reveal SET hide_at = ?", from_now(seconds=-1))


async def test_the_values_are_hidden_again_after_a_minute(
    handed_over: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(seconds=60) == bot.use_cases.reveals.REVEALED_FOR
    monkeypatch.setattr(bot.use_cases.reveals, "REVEALED_FOR", timedelta(seconds=0.2))
    view = await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")
    assert "hidden in 60 seconds" in visible_text(view)

    await handed_over.slack.until(lambda: hidden(handed_over))
    await handed_over.idle()

    assert shown(handed_over, handed_over.view_of(handed_over.erin)) == set()
    assert waiting(handed_over) == 0


async def test_the_deadline_is_kept_without_a_value(handed_over: World) -> None:
    await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")

    [(at,)] = handed_over.rows("SELECT hide_at FROM reveal")

    assert timedelta(seconds=50) < at - now() <= timedelta(seconds=60)
    columns = str(handed_over.rows("SELECT * FROM reveal"))
    assert not [one for one in handed_over.servicetitan.credentials.values() if one in columns]


async def test_another_worker_hides_what_a_dead_one_showed(handed_over: World) -> None:
    await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")
    overdue(handed_over)

    async with handed_over.second_bot() as other:
        await other.tasks.idle()

    assert hidden(handed_over)
    assert waiting(handed_over) == 0


async def test_a_bot_that_ends_hides_what_it_shows(handed_over: World) -> None:
    await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")

    await handed_over.bot.retire()

    assert hidden(handed_over)
    assert waiting(handed_over) == 0


async def test_a_bot_that_ends_leaves_to_others_what_it_did_not_show(handed_over: World) -> None:
    await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")

    async with handed_over.second_bot() as other:
        await other.retire()

    assert not hidden(handed_over)


@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "internal_error"}])
async def test_a_window_that_slack_did_not_empty_is_tried_again(
    handed_over: World, fault: dict[str, Any]
) -> None:
    await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")
    overdue(handed_over)
    handed_over.slack.fail_next("views.update", **fault)

    await handed_over.bot.sweep()
    assert not hidden(handed_over)
    await handed_over.bot.sweep()

    assert hidden(handed_over)


async def test_a_refusal_is_tried_again_after_a_while(handed_over: World) -> None:
    await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")
    overdue(handed_over)
    handed_over.slack.fail_next("views.update", error="missing_scope")

    await handed_over.bot.sweep()
    assert waiting(handed_over) == 1
    overdue(handed_over)
    await handed_over.bot.sweep()

    assert hidden(handed_over)


async def test_a_window_that_was_closed_is_forgotten(handed_over: World) -> None:
    view = await handed_over.open(handed_over.erin, "step:23", "reveal_credentials")
    await handed_over.erin.close(view)
    overdue(handed_over)

    await handed_over.bot.sweep()

    assert waiting(handed_over) == 0


async def test_a_window_that_opens_as_the_bot_ends_is_hidden_at_its_time(
    handed_over: World,
) -> None:
    async with held(handed_over.slack, "views.open"):
        await handed_over.erin.press(handed_over.message("step:23"), "reveal_credentials")
        await handed_over.slack.until(lambda: handed_over.rows("SELECT id FROM reveal"))
        await handed_over.bot.reveals.hide_own(3)
    await handed_over.idle()
    assert not hidden(handed_over)
    overdue(handed_over)

    await handed_over.bot.sweep()

    assert hidden(handed_over)


async def test_an_older_value_that_was_put_back_is_not_taken(handed_over: World) -> None:
    [old] = handed_over.rows("SELECT * FROM credential WHERE field = 'client_secret'")
    new = handed_over.servicetitan.regenerate_secret()
    await handed_over.enter(handed_over.ann, 19, client_secret=new)
    handed_over.write("DELETE FROM credential WHERE field = 'client_secret'")
    marks = ", ".join("?" * len(old))
    handed_over.write(f"INSERT INTO credential VALUES ({marks})", *old)  # noqa: S608

    [warning] = await handed_over.warnings()

    assert "an older value was put back" in warning
