"""The verification: asks ServiceTitan about the five values, and says what to do about each no."""

from bot.verification.booking import Booking
from bot.verification.checks import verify

__all__ = ["Booking", "verify"]
