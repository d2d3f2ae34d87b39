"""`onboarding export`: the history of an onboarding as one file."""

from bot.cli.export.rendering import FORMATS, render

__all__ = ["FORMATS", "render"]
