"""Questions answered from the guide, and only when the guide has the answer. Pure."""

from bot.answers.asking import is_question
from bot.answers.matching import answer
from bot.answers.passages import Passage, passage, passages

__all__ = ["Passage", "answer", "is_question", "passage", "passages"]
