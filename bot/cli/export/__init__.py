"""`onboarding export`: the history of an onboarding as one file."""

from bot.cli.export.rendering import (
    FORMATS as FORMATS,
    people_and_channels as people_and_channels,
    render as render,
)
