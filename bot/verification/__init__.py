"""Checks the five credentials with ServiceTitan, and says how to fix each problem."""

from bot.verification.booking import Booking
from bot.verification.checks import verify

__all__ = ["Booking", "verify"]
