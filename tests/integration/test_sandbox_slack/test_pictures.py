"""Images in messages: uploaded files, URLs, and what Slack refuses."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.slack import Channel, Manifest, SlackSandbox
from sandbox.slack.pictures import PROCESSING_SECONDS, content_of
from tests.stub_bot import FrozenClock, StubBot

PNG = b"\x89PNG\r\n\x1a\n and so on"
URL = "https://pictures.example/step-03.png"


@pytest.fixture
async def slack(clock: FrozenClock) -> AsyncIterator[SlackSandbox]:
    optional = frozenset({"files:write"})
    manifest = Manifest(optional | {"chat:write"}, optional_scopes=optional)
    async with SlackSandbox(manifest, clock=clock, event_retries=()) as slack:
        yield slack


async def upload(
    bot: StubBot, content: bytes = PNG, declared_length: int | None = None
) -> tuple[str, int]:
    """Upload a file; return its id, and the status of the upload itself."""
    target = await bot.call(
        "files.getUploadURLExternal", filename="step-03.png", length=declared_length or len(content)
    )
    async with (
        aiohttp.ClientSession() as session,
        session.post(target["upload_url"], data=content) as answer,
    ):
        status = answer.status
    return target["file_id"], status


async def post_image(bot: StubBot, channel: Channel, **source: Any) -> dict[str, Any]:
    image = {"type": "image", "alt_text": "The login screen", **source}
    return await bot.call("chat.postMessage", channel=channel.id, text="t", blocks=[image])


async def test_an_uploaded_image_can_be_shown_only_after_processing(
    slack: SlackSandbox, bot: StubBot, channel: Channel, clock: FrozenClock
) -> None:
    file, status = await upload(bot)
    assert status == 200
    refused = await post_image(bot, channel, slack_file={"id": file})
    assert refused["error"] == "invalid_blocks"
    assert refused["errors"] == [
        "[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]",
    ]
    done = await bot.call("files.completeUploadExternal", files=[{"id": file, "title": "Login"}])
    assert done["files"] == [{"id": file, "title": "Login"}]
    assert (await post_image(bot, channel, slack_file={"id": file}))["error"] == "invalid_blocks"

    clock.advance(PROCESSING_SECONDS)

    assert (await post_image(bot, channel, slack_file={"id": file}))["ok"]
    assert content_of(slack, {"slack_file": {"id": file}}) == PNG
    completed_again = await bot.call("files.completeUploadExternal", files=[{"id": file}])
    assert completed_again["error"] == "file_not_found"
    del slack.files[file]
    assert (await post_image(bot, channel, slack_file={"id": file}))["error"] == "invalid_blocks"


async def test_an_image_url_must_point_to_an_image(
    slack: SlackSandbox, bot: StubBot, channel: Channel
) -> None:
    refused = await post_image(bot, channel, image_url=URL)
    assert refused["response_metadata"]["messages"] == [
        "[ERROR] downloading image failed [json-pointer:/blocks/0/image_url]"
    ]
    slack.web[URL] = b"RIFF....WEBP"
    assert (await post_image(bot, channel, image_url=URL))["error"] == "invalid_blocks"
    slack.web[URL] = PNG
    assert (await post_image(bot, channel, image_url=URL))["ok"]


@pytest.mark.parametrize(
    "source",
    [{}, {"image_url": URL, "slack_file": {"id": "F0123456789"}}, {"slack_file": {"id": "x"}}],
    ids=["none", "two", "no id"],
)
async def test_an_image_block_needs_exactly_one_source(
    slack: SlackSandbox, bot: StubBot, channel: Channel, source: dict[str, Any]
) -> None:
    slack.web[URL] = PNG
    assert (await post_image(bot, channel, **source))["error"] == "invalid_blocks"


async def test_an_invalid_upload_is_refused(slack: SlackSandbox, bot: StubBot) -> None:
    method = "files.getUploadURLExternal"
    assert (await bot.call(method, filename="a.png", length=0))["error"] == "missing_argument"
    too_long = await bot.call(method, filename="a.png", length=1, alt_txt="x" * 1001)
    assert too_long["error"] == "alt_txt_too_large"
    _, status = await upload(bot, declared_length=5)
    assert status == 400
    slack.admin.decline("files:write")
    assert (await bot.call(method, filename="a.png", length=1))["error"] == "missing_scope"
