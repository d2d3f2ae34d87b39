"""Pictures in messages: whether Slack can download them, and their content.

Slack downloads the `image_url` of an image block before it accepts the message, and refuses the
message if it can't (github.com/slackapi/java-slack-sdk/issues/1396, which also says that it accepts
any URL in a section or a context). A `slack_file` has to be a picture that the app can see;
for a moment after its upload it isn't one yet (slackapi/node-slack-sdk/issues/1865).
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from sandbox.slack.block_kit.check_builders import problem
from sandbox.slack.model import Json
from sandbox.slack.state import State

PROCESSING_SECONDS = 2.0  # Slack says "a few moments"
DOWNLOAD = aiohttp.ClientTimeout(total=5)
# docs: Slack file object, and image block: png, jpg, jpeg and gif.
TYPES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def type_of(content: bytes) -> str | None:
    """The type of a picture that Slack shows; None for anything else."""
    return next((kind for start, kind in TYPES.items() if content.startswith(start)), None)


async def download(state: State, blocks: Any) -> None:
    """Download the images of image blocks from this machine; tests provide the rest of the web."""
    for image, _ in _images(blocks):
        url = image.get("image_url")
        if isinstance(url, str) and urlsplit(url).hostname == "127.0.0.1":
            state.web.pop(url, None)
            try:
                async with (
                    aiohttp.ClientSession(timeout=DOWNLOAD) as session,
                    session.get(url) as answer,
                ):
                    if answer.status == 200:
                        state.web[url] = await answer.read()
            except (aiohttp.ClientError, TimeoutError):
                continue


def problems_of_pictures(state: State, blocks: list[Json]) -> Iterator[str]:
    """What Slack says about pictures that it can't get, in well-formed blocks."""
    for image, pointer in _images(blocks):
        if "slack_file" in image and content_of(state, image) is None:
            yield problem("invalid slack file", f"{pointer}/slack_file")
        elif "image_url" in image and content_of(state, image) is None:
            yield problem("downloading image failed", f"{pointer}/image_url")


def content_of(state: State, image: Json) -> bytes | None:
    """The picture that an image block shows; None if there is none, or if it isn't a picture."""
    if "image_url" in image:
        content = state.web.get(image["image_url"], b"")
    else:
        file = state.files.get(image["slack_file"].get("id", ""))
        ready_at = file.completed_at + PROCESSING_SECONDS if file and file.completed_at else None
        is_ready = ready_at is not None and state.clock() >= ready_at
        content = file.content if file and is_ready else b""
    return content if type_of(content) else None


def _images(blocks: Any) -> Iterator[tuple[Json, str]]:
    for position, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if isinstance(block, dict) and block.get("type") == "image":
            yield block, f"/blocks/{position}"
