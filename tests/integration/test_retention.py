"""Retention: credentials are deleted some time after an onboarding ends; the history stays."""

import asyncio

from tests.commands import onboarding
from tests.databases import ON_BOTH
from tests.integration.test_cli import VALID_SETTINGS
from tests.integration.world import World, last_reply

LONG_AGO = "2020-01-01 00:00:00.000000"


async def complete(world: World) -> World:
    await world.begin()
    await world.walk_to(25)
    await world.press(world.erin, "step:25", "run_verification")
    assert world.rows("SELECT status FROM onboarding") == [("completed",)]
    return world


def stored(world: World) -> int:
    [(count,)] = world.rows("SELECT count(*) FROM credential")
    return int(count)


async def test_values_are_kept_during_the_retention_period(world: World) -> None:
    await complete(world)

    await world.bot.sweep()

    assert stored(world) == 5


@ON_BOTH
async def test_values_are_deleted_after_the_retention_period(world: World) -> None:
    await complete(world)
    world.write("UPDATE onboarding SET finished_at = ?", LONG_AGO)

    await world.bot.sweep()
    await world.idle()

    assert stored(world) == 0
    assert "Client Secret: deleted" in world.message("step:19").text
    assert len(world.events("credential_entered")) == 5
    assert len(world.events("credentials_destroyed")) == 1


async def test_concurrent_sweeps_delete_values_only_once(world: World) -> None:
    await complete(world)
    world.write("UPDATE onboarding SET finished_at = ?", LONG_AGO)

    await asyncio.gather(world.bot.sweep(), world.bot.sweep())

    assert len(world.events("credentials_destroyed")) == 1


async def test_purge_keeps_the_values_of_an_active_onboarding(begun: World) -> None:
    await begun.walk_to(23)

    ended = await onboarding(
        begun.database.directory,
        "purge",
        **{**VALID_SETTINGS, "DATABASE_URL": begun.settings.database_url},
    )

    assert ended.out == "deleted the credentials of 0 finished onboardings\n"
    assert stored(begun) == 5


@ON_BOTH
async def test_purge_deletes_the_values_of_finished_onboardings_immediately(world: World) -> None:
    await complete(world)

    ended = await onboarding(
        world.database.directory,
        "purge",
        **{**VALID_SETTINGS, "DATABASE_URL": world.settings.database_url},
    )

    assert ended.out == "deleted the credentials of 1 finished onboarding\n"
    assert stored(world) == 0


async def test_deleted_values_cannot_be_revealed(world: World) -> None:
    await complete(world)
    world.write("UPDATE onboarding SET finished_at = ?", LONG_AGO)
    await world.bot.sweep()
    await world.idle()

    root, step = world.message("root"), f"{world.onboarding}:23"
    await world.erin.press_raw(root, "reveal_credentials", step)
    await world.idle()

    assert world.erin.view is None
    assert "were deleted" in last_reply(world.erin)


async def test_a_value_replaced_after_it_was_configured_is_announced(begun: World) -> None:
    await begun.walk_to(24)
    secret = begun.servicetitan.regenerate_secret()

    await begun.enter(begun.ann, 19, client_secret=secret)

    [announcement] = [text for text in begun.announced if "entered a new" in text]
    assert "Client Secret" in announcement
    assert "CRM Connection Settings" in announcement


@ON_BOTH
async def test_an_unreadable_onboarding_does_not_block_others_deletion(
    world: World,
) -> None:
    await complete(world)
    other = world.slack.add_channel("beta", world.erin)
    unreadable = await world.begin("Beta Heating", other)
    world.write("UPDATE onboarding SET status = 'completed', finished_at = ?", LONG_AGO)
    world.write(
        "UPDATE onboarding SET guide_version = 'lost', finished_at = '2019-01-01 00:00:00.000000' "
        "WHERE id = ?",
        unreadable,
    )

    await world.bot.sweep()
    await world.idle()

    assert stored(world) == 0


# --- deletion is all or nothing ---

SQLITE_TRIGGER = """CREATE TRIGGER breaks BEFORE DELETE ON credential WHEN OLD.field = 'tenant_id'
BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"""
POSTGRESQL_TRIGGER = """CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'the disk is full'; END$$;
CREATE TRIGGER breaks BEFORE DELETE ON credential FOR EACH ROW
WHEN (OLD.field = 'tenant_id') EXECUTE FUNCTION breaks()"""


def break_deletions(world: World) -> None:
    """Make the database fail in the middle of deleting an onboarding's values."""
    sqlite = world.settings.database_url.startswith("sqlite")
    world.write(SQLITE_TRIGGER if sqlite else POSTGRESQL_TRIGGER)


def repair_deletions(world: World) -> None:
    sqlite = world.settings.database_url.startswith("sqlite")
    world.write("DROP TRIGGER breaks" if sqlite else "DROP TRIGGER breaks ON credential")


@ON_BOTH
async def test_a_failed_deletion_keeps_every_value_and_is_retried(world: World) -> None:
    await complete(world)
    world.write("UPDATE onboarding SET finished_at = ?", LONG_AGO)
    break_deletions(world)

    await world.bot.sweep()
    await world.idle()

    assert stored(world) == 5
    assert world.rows("SELECT destroyed_at FROM onboarding") == [(None,)]
    assert world.events("credentials_destroyed") == []
    assert (await world.get("/readyz"))[0] == 200

    repair_deletions(world)
    await world.bot.sweep()
    await world.idle()

    assert stored(world) == 0
    assert len(world.events("credentials_destroyed")) == 1


async def test_a_failed_cancellation_keeps_every_value(begun: World) -> None:
    await begun.walk_to(23)
    break_deletions(begun)

    await begun.type("cancel")
    answer = await begun.submit(begun.erin, begun.view_of(begun.erin), reason="They left")

    assert not answer.ok
    assert stored(begun) == 5
    assert begun.rows("SELECT status FROM onboarding") == [("active",)]
