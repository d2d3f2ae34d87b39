"""Encryption keys: rotation while the bot runs, and keys that are missing."""

import hmac

from pydantic import SecretStr

from bot.app.setting_values import decode_key
from storage import credentials
from storage.database import Database
from storage.key_rotation import inspect, rotate
from storage.keys import FINGERPRINT, derived_without_hkdf, key_id
from storage.vault import Vault
from tests.databases import ON_BOTH
from tests.integration.world import KEY, OTHER_KEY, World

OLD, NEW = (decode_key(SecretStr(key)) for key in (KEY, OTHER_KEY))


async def rotate_all(database: Database, vault: Vault) -> tuple[int, list[str]]:
    """Rotate to the end; return how many values were resealed, and which were unreadable."""
    resealed, unreadable = 0, list[str]()
    async for progress in rotate(database, vault):
        resealed, unreadable = progress.resealed, progress.unreadable
    return resealed, unreadable


async def enter_value(world: World) -> World:
    await world.walk_to(11)
    await world.enter(world.ann, 11, booking_provider_id="123456789")
    return world


@ON_BOTH
async def test_rotation_reencrypts_every_value_with_the_first_key(begun: World) -> None:
    await enter_value(begun)
    database = begun.bot.database

    assert await rotate_all(database, Vault([NEW, OLD])) == (1, [])

    report = await inspect(database, Vault([NEW]))
    assert report.rows == {key_id(NEW): 1}
    assert not report.problems


async def test_a_second_rotation_has_nothing_to_do(begun: World) -> None:
    await enter_value(begun)
    vault = Vault([NEW, OLD])
    await rotate_all(begun.bot.database, vault)

    assert await rotate_all(begun.bot.database, vault) == (0, [])


@ON_BOTH
async def test_a_value_entered_during_rotation_is_not_overwritten(begun: World) -> None:
    await enter_value(begun)
    database, vault = begun.bot.database, Vault([NEW, OLD])
    async with database.begin(write=False) as session:
        [old] = (await credentials.of(session, begun.onboarding)).values()

    await begun.enter(begun.ann, 11, booking_provider_id="987654321")
    async with database.begin() as session:
        new = vault.seal(old.place, vault.open(old))
        resealed = await credentials.reseal(session, old, new)

    assert not resealed


async def test_a_missing_key_is_named_by_its_id(begun: World) -> None:
    await enter_value(begun)

    report = await inspect(begun.bot.database, Vault([NEW]))

    assert report.missing == {key_id(OLD)}
    assert key_id(OLD) in report.problems[0]
    assert KEY not in report.problems[0]


@ON_BOTH
async def test_rotation_reports_unreadable_values_and_continues(begun: World) -> None:
    await enter_value(begun)

    resealed, unreadable = await rotate_all(begun.bot.database, Vault([NEW]))

    assert resealed == 0
    assert len(unreadable) == 1


async def test_rotation_replaces_fingerprints_made_without_hkdf(begun: World) -> None:
    await enter_value(begun)
    before = hmac.digest(derived_without_hkdf(OLD, FINGERPRINT), b"123456789", "sha256").hex()
    begun.write("UPDATE credential SET fingerprint = ?", before)
    database, vault = begun.bot.database, Vault([OLD])

    async with database.begin(write=False) as session:
        found = await credentials.matches(session, vault.fingerprints("123456789"))
    assert await rotate_all(database, vault) == (1, [])
    async with database.begin(write=False) as session:
        new = await credentials.matches(session, [vault.fingerprint("123456789")])

    assert (
        [value.field for value in found]
        == [value.field for value in new]
        == ["booking_provider_id"]
    )
    assert await rotate_all(database, vault) == (0, [])
