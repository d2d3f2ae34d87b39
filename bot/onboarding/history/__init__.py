"""The history of an onboarding, from its events: who did what, and how long each side took."""

from bot.onboarding.history.durations import Span
from bot.onboarding.history.sentences import SIDES, Words, lasting
from bot.onboarding.history.timeline import Entry, History, Inquiry, Run, tell

__all__ = [
    "SIDES",
    "Entry",
    "History",
    "Inquiry",
    "Run",
    "Span",
    "Words",
    "lasting",
    "tell",
]
