"""Restoring a backup: the bot resumes from it and posts nothing twice."""

from pathlib import Path

import pytest

from sandbox.slack import Person
from storage import backup
from storage.audit.seals import Seals
from storage.database import Database
from tests.background import wait_for_tasks
from tests.databases import ON_SQLITE
from tests.integration.world import World


async def put_back(world: World, file: Path) -> None:
    database = Database(f"sqlite:///{file}", Seals(world.settings.keys))
    async with database.begin() as session:
        assert await backup.mark_restored(session) == 1
    await database.close()


async def press(world: World, person: Person, slot: str) -> None:
    await person.press(world.message(slot), "step_done")


@ON_SQLITE
async def test_the_bot_resumes_from_a_restored_backup_and_posts_nothing_twice(
    begun: World, tmp_path: Path
) -> None:
    file = tmp_path / "copy.db"
    await begun.walk_to(4)
    backup.copy(begun.settings.database_url, file)
    for slot in ("step:4", "step:5"):  # not in the backup
        await begun.press(begun.ann, slot, "step_done")
    before = begun.slots()

    await put_back(begun, file)
    async with begun.second_bot(database_url=f"sqlite:///{file}") as bot:
        begun.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
        await bot.sweep()
        await wait_for_tasks(bot.tasks)
        assert "— <@" not in begun.message("step:4").text
        for slot in ("step:4", "step:5", "step:6"):
            await press(begun, begun.ann, slot)
            await wait_for_tasks(bot.tasks)

    assert begun.slots() == [*before, "step:7"]
    assert "— <@" in begun.message("step:5").text
    assert "Buttons: Done" in begun.message("step:7").text


@ON_SQLITE
async def test_a_backup_is_private_and_never_overwrites_a_file(
    begun: World, tmp_path: Path
) -> None:
    file = tmp_path / "copy.db"
    backup.copy(begun.settings.database_url, file)

    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        backup.copy(begun.settings.database_url, file)


@ON_SQLITE
async def test_a_backup_contains_no_plaintext_credentials(begun: World, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    await begun.walk_to(23)
    backup.copy(begun.settings.database_url, file)

    values = begun.servicetitan.credentials.values()
    assert not [value for value in values if value.encode() in file.read_bytes()]
