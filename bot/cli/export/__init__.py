"""The history of one onboarding as one file, for whoever has no Slack at hand."""

from bot.cli.export.rendering import FORMATS, render

__all__ = ["FORMATS", "render"]
