"""Stored credentials: engineers who reveal them, and values that can no longer be read."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

import bot.use_cases.revealed_windows
from sandbox.slack import View, visible_text
from tests.background import wait_for_tasks
from tests.integration.world import World, from_now, last_reply, now

pytestmark = pytest.mark.slow_slack

# Ways to tamper with a stored value: SQL assignments, and the parameters for their `?`.
TAMPERINGS: dict[str, tuple[str, *tuple[bytes, ...]]] = {
    "altered": ("ciphertext = ?", bytes(64)),
    "truncated": ("ciphertext = substr(ciphertext, 1, 5)",),
    "moved": ("ciphertext = (SELECT ciphertext FROM credential WHERE field = 'client_id')",),
    "with another mask": ("mask = '••••0000'",),
    "with a missing key": ("key_id = '00000000'",),
}


RESTORE = "UPDATE credential SET ciphertext = ?, mask = ?, key_id = ? WHERE field = 'client_secret'"


@pytest.fixture
async def handed_over(begun: World) -> World:
    await begun.walk_to(23)
    return begun


def alter(world: World, how: str, field: str) -> None:
    assignment, *values = TAMPERINGS[how]
    world.write(f"UPDATE credential SET {assignment} WHERE field = ?", *values, field)  # noqa: S608


def visible_fields(world: World, view: View) -> set[str]:
    text = visible_text(view)
    return {name for name, value in world.servicetitan.credentials.items() if value in text}


async def open_stored_credentials(world: World, step: int = 23) -> View:
    """Open the list of the stored credentials."""
    return await world.open(world.erin, f"step:{step}", "reveal_credentials")


async def show_field(world: World, view: View, field: str) -> None:
    await world.erin.press(view, f"reveal_credentials:{field}")
    await world.idle()


async def reveal(world: World, field: str = "client_secret") -> View:
    view = await open_stored_credentials(world)
    await show_field(world, view, field)
    return view


def reveals(world: World) -> list[list[str]]:
    rows = world.rows("SELECT detail FROM event WHERE kind = 'credentials_revealed' ORDER BY id")
    details = [json.loads(detail) if isinstance(detail, str) else detail for (detail,) in rows]
    return [detail["fields"] for detail in details]


async def test_the_window_lists_stored_credentials_without_their_values(handed_over: World) -> None:
    view = await open_stored_credentials(handed_over)

    text = visible_text(view)
    assert visible_fields(handed_over, view) == set()
    assert "••••" in text
    assert "Connections → CRM → Edit Config → CRM Connection Settings" in text
    assert "submit" not in view.content
    assert handed_over.events("credentials_revealed") == []
    assert windows_to_hide(handed_over) == 0


async def test_an_engineer_sees_one_credential_at_a_time(handed_over: World) -> None:
    view, values = await open_stored_credentials(handed_over), handed_over.servicetitan.credentials

    for field in values:
        await show_field(handed_over, view, field)
        assert visible_fields(handed_over, view) == {field}

    sent = [json.dumps(call.arguments) for call in handed_over.slack.calls_of("views.update")]
    assert [sum(value in call for value in values.values()) for call in sent] == [1] * len(values)
    assert reveals(handed_over) == [[field] for field in values]
    assert handed_over.events("credentials_revealed") == [(handed_over.erin.id, None)] * len(values)


async def test_step_24_lists_the_booking_provider_id_first(handed_over: World) -> None:
    await handed_over.press(handed_over.erin, "step:23", "step_done")

    view = await open_stored_credentials(handed_over, 24)

    buttons = [block["accessory"]["action_id"] for block in view.blocks if "accessory" in block]
    assert buttons[0] == "reveal_credentials:booking_provider_id"
    assert len(buttons) == len(handed_over.servicetitan.credentials)


async def test_each_reveal_window_is_announced_once(handed_over: World) -> None:
    view = await reveal(handed_over, "client_secret")
    await show_field(handed_over, view, "tenant_id")

    [announcement] = [text for text in handed_over.announced if " viewed " in text]
    assert f"<@{handed_over.erin.id}>" in announcement
    assert "Client Secret" in announcement

    await reveal(handed_over, "tenant_id")

    [_, announcement] = [text for text in handed_over.announced if " viewed " in text]
    assert "Tenant ID" in announcement
    await handed_over.assert_consistent()


async def test_forged_reveal_requests_are_rejected(handed_over: World) -> None:
    view = await reveal(handed_over)
    payload = handed_over.last_interaction
    for change in (
        {"actions": [{**payload["actions"][0], "action_id": "reveal_credentials:password"}]},
        {"view": {**payload["view"], "external_id": "another"}},
        {"view": {**payload["view"], "private_metadata": "{}"}},
    ):
        ack = await handed_over.send({**payload, "trigger_id": str(change), **change})
        assert ack.status == 400

    assert visible_fields(handed_over, view) == {"client_secret"}
    assert reveals(handed_over) == [["client_secret"]]


async def test_an_engineer_cannot_reveal_in_someone_elses_window(handed_over: World) -> None:
    await open_stored_credentials(handed_over)
    view = await reveal(handed_over)
    payload = handed_over.last_interaction
    eve = handed_over.slack.add_person("Eve Engineer")
    handed_over.channel.members[eve.id] = eve.user

    user = {**payload["user"], "id": eve.id}
    await handed_over.send({**payload, "trigger_id": "eve", "user": user})

    assert "Someone else opened this" in last_reply(eve)
    assert reveals(handed_over) == [["client_secret"]]
    assert visible_fields(handed_over, view) == {"client_secret"}


async def test_credentials_are_shown_only_in_the_window_the_bot_opened(
    handed_over: World,
) -> None:
    await reveal(handed_over)
    payload = handed_over.last_interaction
    view = await handed_over.open(handed_over.ann, "step:23", "step_help")

    forged = {**payload["view"], "id": view.id, "hash": view.hash, "external_id": "reveal-1"}
    await handed_over.send({**payload, "trigger_id": "forged", "view": forged})

    assert visible_fields(handed_over, view) == set()


async def test_a_client_cannot_reveal_credentials(handed_over: World) -> None:
    await handed_over.press(handed_over.ann, "step:23", "reveal_credentials")

    assert handed_over.ann.view is None
    assert "Only HeavySet engineers can see stored credentials" in last_reply(handed_over.ann)
    assert handed_over.events("credentials_revealed") == []


async def test_credentials_cannot_be_revealed_from_another_channel(handed_over: World) -> None:
    value = f"{handed_over.onboarding}:23"
    message = handed_over.message("step:23")

    await handed_over.erin.press_raw(
        message, "reveal_credentials", value, channel=handed_over.engineering
    )
    await handed_over.idle()

    assert "another channel" in last_reply(handed_over.erin)
    assert handed_over.erin.view is None


async def test_a_tampered_value_is_not_shown_and_causes_a_warning(
    handed_over: World, subtests: pytest.Subtests
) -> None:
    [(ciphertext, mask, key)] = handed_over.rows(
        "SELECT ciphertext, mask, key_id FROM credential WHERE field = 'client_secret'"
    )
    for name in TAMPERINGS:
        with subtests.test(name):
            handed_over.write(RESTORE, ciphertext, mask, key)
            assert await handed_over.warnings() == []
            alter(handed_over, name, "client_secret")

            view = await reveal(handed_over)
            [warning] = await handed_over.warnings()

            assert "A stored credential can't be read" in last_reply(handed_over.erin)
            assert visible_fields(handed_over, view) == set()
            assert handed_over.events("credentials_revealed") == []
            assert "stored values" in warning


async def test_a_ciphertext_moved_to_another_client_cannot_be_decrypted(handed_over: World) -> None:
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


def is_hidden(world: World) -> bool:
    return "These are hidden again" in visible_text(world.view_of(world.erin))


def windows_to_hide(world: World) -> int:
    return len(world.rows("SELECT id FROM reveal"))


def make_overdue(world: World) -> None:
    world.write("UPDATE reveal SET hide_at = ?", from_now(seconds=-1))


async def test_revealed_values_are_hidden_after_a_minute(
    handed_over: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(seconds=60) == bot.use_cases.revealed_windows.REVEALED_FOR
    monkeypatch.setattr(bot.use_cases.revealed_windows, "REVEALED_FOR", timedelta(seconds=0.2))
    view = await reveal(handed_over)
    assert "hidden in 60 seconds" in visible_text(view)

    await handed_over.slack.until(lambda: is_hidden(handed_over))
    await handed_over.idle()

    assert visible_fields(handed_over, handed_over.view_of(handed_over.erin)) == set()
    assert windows_to_hide(handed_over) == 0


async def test_the_hide_deadline_is_stored_without_the_value(handed_over: World) -> None:
    await reveal(handed_over)

    [(at,)] = handed_over.rows("SELECT hide_at FROM reveal")

    assert timedelta(seconds=50) < at - now() <= timedelta(seconds=60)
    columns = str(handed_over.rows("SELECT * FROM reveal"))
    assert not [
        secret for secret in handed_over.servicetitan.credentials.values() if secret in columns
    ]


async def test_another_worker_hides_values_revealed_by_a_dead_worker(handed_over: World) -> None:
    await reveal(handed_over)
    make_overdue(handed_over)

    async with handed_over.second_bot() as other:
        await wait_for_tasks(other.tasks)

    assert is_hidden(handed_over)
    assert windows_to_hide(handed_over) == 0


async def test_a_bot_that_shuts_down_hides_the_values_it_revealed(handed_over: World) -> None:
    await reveal(handed_over)

    await handed_over.bot.retire()

    assert is_hidden(handed_over)
    assert windows_to_hide(handed_over) == 0


async def test_a_bot_that_shuts_down_leaves_other_workers_windows_open(handed_over: World) -> None:
    await reveal(handed_over)

    async with handed_over.second_bot() as other:
        await other.retire()

    assert not is_hidden(handed_over)


@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "internal_error"}])
async def test_hiding_is_retried_after_a_slack_failure(
    handed_over: World, fault: dict[str, Any]
) -> None:
    await reveal(handed_over)
    make_overdue(handed_over)
    handed_over.slack.fail_next("views.update", **fault)

    await handed_over.bot.sweep()
    assert not is_hidden(handed_over)
    await handed_over.bot.sweep()

    assert is_hidden(handed_over)


async def test_hiding_is_retried_later_if_slack_refuses(handed_over: World) -> None:
    await reveal(handed_over)
    make_overdue(handed_over)
    handed_over.slack.fail_next("views.update", error="missing_scope")

    await handed_over.bot.sweep()
    assert windows_to_hide(handed_over) == 1
    make_overdue(handed_over)
    await handed_over.bot.sweep()

    assert is_hidden(handed_over)


async def test_a_window_that_was_closed_is_forgotten(handed_over: World) -> None:
    view = await reveal(handed_over)
    await handed_over.erin.close(view)
    make_overdue(handed_over)

    await handed_over.bot.sweep()

    assert windows_to_hide(handed_over) == 0


async def test_revealing_another_credential_restarts_the_minute(handed_over: World) -> None:
    view = await reveal(handed_over)
    make_overdue(handed_over)
    await show_field(handed_over, view, "tenant_id")

    await handed_over.bot.sweep()

    assert visible_fields(handed_over, view) == {"tenant_id"}
    assert windows_to_hide(handed_over) == 1


async def test_a_value_in_flight_to_a_window_being_hidden_is_not_shown(
    handed_over: World,
) -> None:
    view, released = await open_stored_credentials(handed_over), asyncio.Event()
    secret = handed_over.servicetitan.client_secret

    async def gate(moment: str, _method: str, arguments: Mapping[str, Any]) -> bool:
        if moment == "arrived" and secret in json.dumps(arguments):
            await released.wait()
        return True

    handed_over.slack.guard(gate)
    await handed_over.erin.press(view, "reveal_credentials:client_secret")
    await handed_over.until(lambda: handed_over.rows("SELECT id FROM reveal"))
    await handed_over.bot.reveals.hide_own(3)
    released.set()
    await handed_over.idle()

    assert visible_fields(handed_over, handed_over.view_of(handed_over.erin)) == set()
    assert is_hidden(handed_over)


async def test_an_older_ciphertext_put_back_is_detected(handed_over: World) -> None:
    [old] = handed_over.rows("SELECT * FROM credential WHERE field = 'client_secret'")
    new = handed_over.servicetitan.regenerate_secret()
    await handed_over.enter(handed_over.ann, 19, client_secret=new)
    handed_over.write("DELETE FROM credential WHERE field = 'client_secret'")
    placeholders = ", ".join("?" * len(old))
    handed_over.write(f"INSERT INTO credential VALUES ({placeholders})", *old)  # noqa: S608

    [warning] = await handed_over.warnings()

    assert "an older value was put back" in warning
