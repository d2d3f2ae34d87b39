"""The verification: asks ServiceTitan about the five values, and says what to do about each no."""

from bot.verification.checks import verify

__all__ = ["verify"]
