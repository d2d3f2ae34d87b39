"""`onboarding export`: the history of an onboarding as one file."""

from bot.cli.export.rendering import FORMATS as FORMATS, render as render
