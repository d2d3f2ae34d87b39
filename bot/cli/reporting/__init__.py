"""`onboarding report`: how all onboardings went, as one file."""

from bot.cli.reporting.rendering import FORMATS, render

__all__ = ["FORMATS", "render"]
