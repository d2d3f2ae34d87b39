"""What happened in one onboarding, told from its events: who did what, and who waited for whom."""

from bot.history.timeline import Entry, History, Inquiry, Run, tell
from bot.history.waiting import Span
from bot.history.words import Place, Who, Words, lasting

__all__ = ["Entry", "History", "Inquiry", "Place", "Run", "Span", "Who", "Words", "lasting", "tell"]
