"""`onboarding guide preview`: every message and window of the guide on one page.

The page is one file that loads nothing else. It looks like the sandbox (`make play`).
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from bot.cli.doctor.specimens import Specimen, specimens
from bot.cli.doctor.stories import BEGAN, CHANNEL, CLIENT, ENGINEER
from bot.guide import Guide
from bot.guide.pictures import PictureFile, find
from sandbox.web.block_kit import STYLE, render_blocks, unopened
from sandbox.web.mrkdwn import Reader

NAMES = {CLIENT.user_id: "Ann Admin", ENGINEER.user_id: "Erin Engineer", CHANNEL: "acme-heavyset"}
WIDTHS = ("desktop", "phone")
HERE = "preview:"  # where this page's pictures are


@dataclass(frozen=True)
class Drawn:
    """A message or a window, drawn once for each width."""

    specimen: Specimen
    title: str
    submit: str
    html: Sequence[tuple[str, Markup]]


def preview(guide: Guide, images: str | None, folder: Path) -> str:
    """Return the page, as HTML, with the pictures in `images` and those in the guide's `folder`."""
    sources, _ = find(guide, images, HERE, folder)
    contents = {sources.url_of(file): _data_url(file) for file in sources.files}
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True
    )
    reader = Reader(
        lambda entity_id: NAMES.get(entity_id, entity_id),
        BEGAN.timestamp(),
        picture=lambda image: contents.get(image.get("image_url", ""), ""),
    )
    drawn = list(_drawn(specimens(guide, lambda step: sources.of(step, {})), reader))
    style = Markup(STYLE.read_text(encoding="utf-8"))  # noqa: S704 # nosec B704 (our own file)
    return templates.get_template("preview.html").render(guide=guide, drawn=drawn, style=style)


def _data_url(file: PictureFile) -> str:
    return f"data:{file.content_type};base64,{base64.b64encode(file.content).decode()}"


def _drawn(found: Iterator[Specimen], reader: Reader) -> Iterator[Drawn]:
    for number, specimen in enumerate(found):
        views = [unopened(specimen.payload, f"{width}-{number}") for width in WIDTHS]
        yield Drawn(
            specimen,
            views[0].title,
            specimen.payload.get("submit", {}).get("text", ""),
            [
                (width, render_blocks(view, reader, ""))
                for width, view in zip(WIDTHS, views, strict=True)
            ],
        )
