"""Block Kit as HTML, using `templates/blocks.html`."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from sandbox.slack.block_kit import with_block_ids
from sandbox.slack.forms import state_values
from sandbox.slack.model import Json, Team, User, View
from sandbox.web.mrkdwn import Reader

TEMPLATES = Path(__file__).parent / "templates"
STYLE = Path(__file__).parent / "static" / "play.css"

# Most properties of Block Kit are optional, so an undefined one is empty, not a mistake.
_macros = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_NOBODY = User("U0", "nobody", "Nobody", Team("T0", "Nobody", "nobody"))


def render_blocks(blocks: list[Json], reader: Reader, target: str) -> Markup:
    """The blocks of a message; `target` identifies it in what its buttons post."""
    return _render(blocks, reader, target)


def render_view(view: View, reader: Reader, target: str) -> Markup:
    """The blocks of a modal or a Home, with what was typed in them and the errors at the inputs."""
    return _render(view.blocks, reader, target, view=view, state=state_values(view))


def unopened(content: Json, view_id: str) -> View:
    """A view that nobody has opened, only to be looked at."""
    ids = iter(range(1_000_000))
    blocks = with_block_ids(content["blocks"], lambda: f"{view_id}-{next(ids)}")
    return View(view_id, _NOBODY, {**content, "blocks": blocks}, "")


def _render(blocks: list[Json], reader: Reader, target: str, **more: Any) -> Markup:
    module: Any = _macros.get_template("blocks.html").module
    return Markup(module.blocks(blocks, reader, target, **more))  # noqa: S704 (autoescaped)
