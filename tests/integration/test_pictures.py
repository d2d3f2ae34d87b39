"""Step pictures: served by the bot, uploaded, or at a URL; a description if there's none."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from sandbox.bot_process import free_port
from sandbox.slack.model import Json
from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import World, running_world

PNG = b"\x89PNG\r\n\x1a\n and so on"
DESCRIPTION = "🖼️ *What you'll see:*"


@pytest.fixture(autouse=True)
def clock() -> Iterator[FrozenDateTimeFactory]:
    with freeze_time("2026-03-10 15:00", real_asyncio=True) as clock:
        assert isinstance(clock, FrozenDateTimeFactory)
        yield clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "step-03.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG + b"secret")
    return folder


@asynccontextmanager
async def at_step_3(
    database: AnyDatabase | Path, clock: FrozenDateTimeFactory, **settings: Any
) -> AsyncIterator[World]:
    """A world at step 3, which may have a picture."""
    async with running_world(database, **settings) as world:
        await upload_pictures(world, clock)
        await world.begin()
        await world.walk_to(3)
        yield world


async def upload_pictures(world: World, clock: FrozenDateTimeFactory) -> None:
    """Let the bot upload what is missing, and Slack process it."""
    for _ in range(2):
        await world.bot.sweep()
        await world.idle()
        clock.tick(timedelta(seconds=10))


async def show_step_3_again(world: World) -> None:
    """Have step 3 shown in full again."""
    await world.press(world.ann, "step:3", "step_done")
    await world.press(world.ann, "step:3", "step_undo")


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.message for record in caplog.records if "Slack refuses a picture" in record.message
    ]


def has_picture(arguments: Json) -> bool:
    return "slack_file" in str(arguments)


def image(world: World, step: int) -> Json | None:
    """The image block of a step's message."""
    blocks = world.message(f"step:{step}").blocks
    return next((block for block in blocks if block["type"] == "image"), None)


def is_described(world: World, step: int) -> bool:
    return DESCRIPTION in str(world.message(f"step:{step}").blocks)


async def test_the_bot_serves_pictures_from_the_folder_and_nothing_else(
    tmp_path: Path, clock: FrozenDateTimeFactory, folder: Path
) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    settings = {"guide_images": str(folder), "public_url": base, "port": port, "uploads": True}
    async with at_step_3(tmp_path, clock, **settings) as world:
        block = image(world, 3)
        assert block
        assert block["image_url"].startswith(f"{base}/guide/step-03.png?")
        assert not is_described(world, 3)
        assert not world.slack.files  # nothing is uploaded
        async with aiohttp.ClientSession() as session:
            async with session.get(block["image_url"]) as answer:
                assert (answer.status, answer.content_type) == (200, "image/png")
                assert "max-age" in answer.headers["Cache-Control"]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert await answer.read() == PNG
            async with session.get(f"{base}/guide/step-10.png") as answer:
                assert answer.status == 200  # our schematic
            for path in ("", "step-05.png", "../secret.png", "..%2fsecret.png", "%2e%2e/.env"):
                async with session.get(f"{base}/guide/{path}") as answer:
                    assert answer.status == 404, path


@ON_BOTH
async def test_a_picture_is_uploaded_once_across_workers_and_again_if_deleted(
    database: AnyDatabase,
    clock: FrozenDateTimeFactory,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = {"guide_images": str(folder), "uploads": True, "socket_mode": True}
    async with at_step_3(database, clock, **settings) as world:
        block = image(world, 3)
        assert block
        names = sorted(file.name for file in world.slack.files.values())
        assert names == ["step-03.png", "step-10.png", "step-22.png"]
        async with world.second_bot() as second:
            await second.sweep()
        assert len(world.slack.files) == 3

        del world.slack.files[block["slack_file"]["id"]]
        await show_step_3_again(world)

        assert image(world, 3) is None
        assert is_described(world, 3)
        assert len(refusals(caplog)) == 1
        await upload_pictures(world, clock)
        assert sorted(file.name for file in world.slack.files.values()) == names
        await show_step_3_again(world)
        assert (image(world, 3) or {})["slack_file"]["id"] != block["slack_file"]["id"]

        # An organization that blocks files says nothing about this one.
        world.slack.fail_next(
            "chat.update", error="slack_connect_blocked_file_type", predicate=has_picture
        )
        await show_step_3_again(world)
        assert is_described(world, 3)
        await show_step_3_again(world)
        assert image(world, 3)


async def test_a_picture_is_not_shown_while_slack_processes_it(
    tmp_path: Path,
    clock: FrozenDateTimeFactory,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running_world(
        tmp_path, guide_images=str(folder), uploads=True, socket_mode=True
    ) as world:
        for _ in range(2):
            await world.bot.sweep()
            await world.idle()
        assert world.slack.files

        await world.begin()
        await world.walk_to(3)
        assert is_described(world, 3)
        assert not refusals(caplog)

        await upload_pictures(world, clock)
        await show_step_3_again(world)
        assert image(world, 3)


async def test_a_picture_slack_rejects_blocks_nothing_and_is_logged_once(
    tmp_path: Path, clock: FrozenDateTimeFactory, caplog: pytest.LogCaptureFixture
) -> None:
    base = "https://pictures.example"
    async with at_step_3(tmp_path, clock, guide_images=base) as world:
        assert is_described(world, 3)
        assert world.rows("SELECT status FROM onboarding") == [("active",)]
        assert len(refusals(caplog)) == 1
        await world.type("pause")
        answers = [call.answer.get("error") for call in world.slack.calls]
        assert answers.count("invalid_blocks") == 1  # it isn't tried each time

        world.slack.web[f"{base}/step-03.png"] = PNG
        clock.tick(timedelta(minutes=11))
        await world.type("resume")

        assert (image(world, 3) or {})["image_url"] == f"{base}/step-03.png"


async def test_an_edit_rejected_for_its_picture_falls_back_to_text(tmp_path: Path) -> None:
    base = "https://pictures.example"
    async with running_world(tmp_path, guide_images=base) as world:
        world.slack.web[f"{base}/step-03.png"] = PNG
        await world.begin()
        await world.walk_to(3)
        assert image(world, 3)
        del world.slack.web[f"{base}/step-03.png"]

        await world.type("pause")

        assert is_described(world, 3)
        assert "On hold" in str(world.message("step:3").blocks)


async def test_text_is_shown_until_pictures_can_be_uploaded(
    tmp_path: Path, clock: FrozenDateTimeFactory, folder: Path
) -> None:
    async with at_step_3(tmp_path, clock, guide_images=str(folder)) as world:
        assert not world.slack.calls_of("files.getUploadURLExternal")  # the scope is missing
        assert is_described(world, 3)
        world.slack.admin.grant("files:write")
        await world.bot.slack.identify()
        world.slack.fail_next("files.getUploadURLExternal", error="file_uploads_disabled")
        await upload_pictures(world, clock)
        assert len(world.slack.calls_of("files.getUploadURLExternal")) == 1
        assert world.rows("SELECT * FROM picture") == []

        clock.tick(timedelta(hours=1))
        world.slack.fail_next("upload_url", status=500)
        await upload_pictures(world, clock)
        assert world.rows("SELECT * FROM picture") == []
        clock.tick(timedelta(minutes=1))
        await upload_pictures(world, clock)

        assert len(world.rows("SELECT * FROM picture WHERE file_id IS NOT NULL")) == 3
