"""Reads what people type, and finds the guide's answer if there is one. Pure."""

from bot.guide.answers.intents import Intent as Intent, Meaning as Meaning, understand as understand
from bot.guide.answers.matching import answer as answer
from bot.guide.answers.passages import Passage as Passage, passage as passage
