"""The history of an onboarding, from its events: who did what, and how long each side took."""

from bot.onboarding.history.sentences import SIDES as SIDES, lasting as lasting
from bot.onboarding.history.timeline import History as History, history_of as history_of
