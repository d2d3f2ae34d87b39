"""Stored values altered behind the bot's back are detected and reported wherever they're used."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.slack import visible_text
from tests.commands import CommandResult, onboarding
from tests.databases import ON_BOTH
from tests.integration.test_cli import VALID_SETTINGS
from tests.integration.world import World, last_reply

ALTERED = "the stored value was altered or moved"
REPLAYED = "an older value was put back in a newer one's place"
COLUMNS = ("field", "ciphertext", "key_id", "fingerprint", "mask", "version", "replaced_at")
Scene = tuple[World, list[dict[str, Any]]]
Tamper = Callable[[World, list[dict[str, Any]]], None]


def stored(world: World) -> list[dict[str, Any]]:
    """The rows of the stored values, as dicts."""
    rows = world.rows(f"SELECT {', '.join(COLUMNS)} FROM credential ORDER BY field")  # noqa: S608
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def write(world: World, field: str, **columns: Any) -> None:
    for name, value in columns.items():
        world.write(f"UPDATE credential SET {name} = ? WHERE field = ?", value, field)  # noqa: S608


def row_of(rows: list[dict[str, Any]], field: str) -> dict[str, Any]:
    [found] = [row for row in rows if row["field"] == field]
    return found


def swap(world: World, _before: list[dict[str, Any]]) -> None:
    """Swap the ciphertexts of the Client ID and the Client Secret."""
    rows = stored(world)
    client_id, client_secret = row_of(rows, "client_id"), row_of(rows, "client_secret")
    write(world, "client_secret", ciphertext=client_id["ciphertext"])
    write(world, "client_id", ciphertext=client_secret["ciphertext"])


def swap_whole_rows(world: World, _before: list[dict[str, Any]]) -> None:
    """Swap the field names of the two rows."""
    for name, new in (("client_id", "x"), ("client_secret", "client_id"), ("x", "client_secret")):
        world.write("UPDATE credential SET field = ? WHERE field = ?", new, name)


def truncate(world: World, _before: list[dict[str, Any]]) -> None:
    ciphertext = row_of(stored(world), "client_secret")["ciphertext"]
    write(world, "client_secret", ciphertext=ciphertext[:-1])


def empty(world: World, _before: list[dict[str, Any]]) -> None:
    write(world, "client_secret", ciphertext=b"")


def replay(world: World, before: list[dict[str, Any]]) -> None:
    """Restore the entire row of the earlier secret."""
    old = row_of(before, "client_secret")
    write(world, "client_secret", **{name: old[name] for name in old if name != "field"})


def replay_under_the_new_version(world: World, before: list[dict[str, Any]]) -> None:
    """Restore the earlier ciphertext and its mask, but keep the newer version number."""
    old = row_of(before, "client_secret")
    write(world, "client_secret", ciphertext=old["ciphertext"], mask=old["mask"])


def replay_with_its_event(world: World, before: list[dict[str, Any]]) -> None:
    """Restore the earlier secret's row, and make the history call it the newest."""
    replay(world, before)
    detail = json.dumps({"field": "client_secret", "version": 1})
    world.write("UPDATE event SET detail = ? WHERE kind = 'credential_replaced'", detail)


def replay_without_the_newer_event(world: World, before: list[dict[str, Any]]) -> None:
    """Restore the earlier secret's row, and delete the history since then."""
    replay(world, before)
    [(position,)] = world.rows("SELECT position FROM event WHERE kind = 'credential_replaced'")
    world.write("DELETE FROM event WHERE position >= ?", position)
    world.write("UPDATE onboarding SET history_length = ?", position - 1)


def replay_with_forged_state(world: World, before: list[dict[str, Any]]) -> None:
    """Restore the earlier secret's row, and make the onboarding's state vouch for it."""
    replay_with_its_event(world, before)
    [(state,)] = world.rows("SELECT sealed_state FROM onboarding")
    state["versions"]["client_secret"] = 1
    world.write("UPDATE onboarding SET sealed_state = ?", json.dumps(state))


def change_mask(world: World, _before: list[dict[str, Any]]) -> None:
    write(world, "client_secret", mask="••••0000")


def flip_bit(world: World, _before: list[dict[str, Any]]) -> None:
    ciphertext = bytearray(row_of(stored(world), "client_secret")["ciphertext"])
    ciphertext[len(ciphertext) // 2] ^= 1
    write(world, "client_secret", ciphertext=bytes(ciphertext))


ATTACKS: dict[str, tuple[Tamper, str]] = {
    "swapped": (swap, ALTERED),
    "rows swapped": (swap_whole_rows, ALTERED),
    "truncated": (truncate, ALTERED),
    "emptied": (empty, ALTERED),
    "an older value replayed": (replay, REPLAYED),
    "an older value replayed under the new version": (replay_under_the_new_version, ALTERED),
    "an older value replayed with its event": (replay_with_its_event, REPLAYED),
    "an older value replayed without the newer event": (replay_without_the_newer_event, REPLAYED),
    "an older value replayed with a forged state": (replay_with_forged_state, REPLAYED),
    "mask changed": (change_mask, ALTERED),
    "a bit flipped": (flip_bit, ALTERED),
}


@pytest.fixture
async def scene(begun: World) -> Scene:
    """All values entered and the secret replaced once; with the rows from before that."""
    await begun.walk_to(23)
    before = stored(begun)
    begun.servicetitan.regenerate_secret()
    secret = begun.servicetitan.client_secret
    assert (await begun.enter(begun.erin, 19, client_secret=secret)).ok
    for number in (23, 24):
        await begun.press(begun.erin, f"step:{number}", "step_done")
    return begun, before


async def keys_check(world: World) -> CommandResult:
    settings = {**VALID_SETTINGS, "DATABASE_URL": world.settings.database_url}
    return await onboarding(world.database.directory, "keys", "check", **settings)


@pytest.mark.parametrize(("tamper", "reason"), list(ATTACKS.values()), ids=list(ATTACKS))
async def test_tampering_is_detected_wherever_a_value_is_used(
    tamper: Tamper, reason: str, scene: Scene
) -> None:
    world, before = scene
    secret = world.servicetitan.client_secret
    asked = len(world.servicetitan.requests)
    tamper(world, before)

    [warning] = await world.warnings()
    step_23 = f"{world.onboarding}:23"
    await world.erin.press_raw(world.message("root"), "reveal_credentials", step_23)
    await world.idle()
    window = world.view_of(world.erin)
    await world.erin.press(window, "reveal_credentials:client_secret")
    await world.press(world.erin, "step:25", "run_verification")
    checked = await keys_check(world)

    assert reason in warning
    assert reason in last_reply(world.erin)
    assert secret not in visible_text(window)
    assert world.events("credentials_revealed") == []
    report = world.message(world.slots()[-1])
    assert (report.payload["outcome"], report.payload["fields"]) == ("unknown", [])
    assert "There is a problem on our side" in report.text
    assert reason in world.announced[-1]
    assert len(world.servicetitan.requests) == asked
    assert (checked.status, reason in checked.err) == (1, True)


@ON_BOTH
async def test_untouched_values_raise_no_tampering_warning(scene: Scene) -> None:
    world, _ = scene

    checked = await keys_check(world)

    assert await world.warnings() == []
    assert (checked.status, checked.err) == (0, "")
    assert "5 stored values readable, 0 not" in checked.out
