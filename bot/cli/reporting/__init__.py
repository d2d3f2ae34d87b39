"""`onboarding report`: how all onboardings went, as one file."""

from bot.cli.reporting.rendering import render as render
