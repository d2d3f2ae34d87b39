"""What people type, and the guide's answers to it, only where the guide has one. Pure."""

from bot.guide.answers.intents import Intent, Meaning, understand
from bot.guide.answers.matching import answer
from bot.guide.answers.passages import Passage, passage, passages
from bot.guide.answers.questions import is_question

__all__ = [
    "Intent",
    "Meaning",
    "Passage",
    "answer",
    "is_question",
    "passage",
    "passages",
    "understand",
]
