"""The guide as data, and the checks that a guide file must pass."""

from bot.guide.loading import GuideError, load, parse
from bot.guide.model import (
    Blank,
    Blanks,
    Choice,
    Figure,
    Guide,
    Option,
    Owner,
    Phase,
    Step,
    Table,
    Trouble,
)

__all__ = [
    "Blank",
    "Blanks",
    "Choice",
    "Figure",
    "Guide",
    "GuideError",
    "Option",
    "Owner",
    "Phase",
    "Step",
    "Table",
    "Trouble",
    "load",
    "parse",
]
