"""What happened in one onboarding, told from its events: who did what, and who waited for whom."""

from bot.onboarding.history.durations import Span
from bot.onboarding.history.sentences import ChannelRef, UserRef, Words, lasting
from bot.onboarding.history.timeline import Entry, History, Inquiry, Run, tell

__all__ = [
    "ChannelRef",
    "Entry",
    "History",
    "Inquiry",
    "Run",
    "Span",
    "UserRef",
    "Words",
    "lasting",
    "tell",
]
