"""Questions answered from the guide, and only when the guide has the answer. Pure."""

from bot.guide.answers.matching import answer
from bot.guide.answers.passages import Passage, passage, passages
from bot.guide.answers.questions import is_question

__all__ = ["Passage", "answer", "is_question", "passage", "passages"]
