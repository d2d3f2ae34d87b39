"""Checks the five credentials with ServiceTitan, and says how to fix each problem."""

from bot.verification.booking import Booking as Booking
from bot.verification.checks import verify as verify
