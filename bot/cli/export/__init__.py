"""`onboarding export`: the history of an onboarding as one file."""

from bot.cli.export.inquiries import inquiries as inquiries
from bot.cli.export.rendering import (
    Export as Export,
    people_and_channels as people_and_channels,
    render as render,
)
