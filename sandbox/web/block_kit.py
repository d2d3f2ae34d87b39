"""Block Kit as HTML, using `templates/blocks.html`."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from sandbox.slack.block_kit import with_block_ids
from sandbox.slack.forms import state_values
from sandbox.slack.model import Json, Message, Team, User, View
from sandbox.web.mrkdwn import Reader

TEMPLATES = Path(__file__).parent / "templates"
STYLE = Path(__file__).parent / "static" / "play.css"

# Most properties of Block Kit are optional, so an undefined one is empty, not a mistake.
_macros = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_NOBODY = User("U0", "nobody", "Nobody", Team("T0", "Nobody", "nobody"))


def render_blocks(where: Message | View, reader: Reader, target: str) -> Markup:
    """The blocks; those of a view with what was typed in them and the errors at the inputs.

    `target` identifies the message, modal or Home in what its buttons post.
    """
    module: Any = _macros.get_template("blocks.html").module
    view = where if isinstance(where, View) else None
    drawn = module.blocks(where.blocks, reader, target, view, state_values(view) if view else {})
    return Markup(drawn)  # noqa: S704 (autoescaped)


def unopened(content: Json, view_id: str) -> View:
    """A view that nobody has opened, only to be looked at."""
    ids = iter(range(1_000_000))
    blocks = with_block_ids(content["blocks"], lambda: f"{view_id}-{next(ids)}")
    return View(view_id, _NOBODY, {**content, "blocks": blocks}, "")
