"""The guide as data, and the checks that a guide file must pass."""

from bot.guide.loading import GuideError as GuideError, load as load, parse as parse
from bot.guide.model import (
    Guide as Guide,
    Option as Option,
    Owner as Owner,
    Phase as Phase,
    Step as Step,
    Table as Table,
)
