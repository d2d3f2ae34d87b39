"""`onboarding guide preview`: every message and window of the guide on one page.

The page is one file that loads nothing else. It looks like the sandbox (`make play`).
"""

import base64
from pathlib import Path

from markupsafe import Markup

from bot.cli.doctor.specimens import specimens
from bot.cli.doctor.stories import BEGAN, CHANNEL, CLIENT, ENGINEER
from bot.cli.templates import environment
from bot.guide import Guide
from bot.guide.pictures import PictureFile, find
from sandbox.web.block_kit import STYLE, render_blocks, unopened
from sandbox.web.mrkdwn import Reader

NAMES = {CLIENT.user_id: "Ann Admin", ENGINEER.user_id: "Erin Engineer", CHANNEL: "acme-heavyset"}
HERE = "preview:"  # where this page's pictures are


def preview(guide: Guide, images: str | None, folder: Path) -> str:
    """Return the page, as HTML, with the pictures in `images` and those in the guide's `folder`."""
    sources, _ = find(guide, images, HERE, folder)
    contents = {sources.url_of(file): _data_url(file) for file in sources.files}
    reader = Reader(
        lambda entity_id: NAMES.get(entity_id, entity_id),
        BEGAN.timestamp(),
        picture=lambda image: contents.get(image.get("image_url", ""), ""),
    )
    style = Markup(STYLE.read_text(encoding="utf-8"))  # noqa: S704 # nosec B704 (our own file)
    return (
        environment("bot.cli.preview")
        .get_template("preview.html")
        .render(
            guide=guide,
            specimens=list(specimens(guide, lambda step: sources.of(step, {}))),
            unopened=unopened,
            html_of=lambda view: render_blocks(view, reader, ""),
            style=style,
        )
    )


def _data_url(file: PictureFile) -> str:
    return f"data:{file.content_type};base64,{base64.b64encode(file.content).decode()}"
