"""One onboarding: what it is made of, and the pure state machine that it goes through."""

from bot.onboarding.machine import RETRY_AFTER, Change, Onboarding, start
from bot.onboarding.records import (
    BOT,
    Event,
    EventKind,
    Exposure,
    Loss,
    Overview,
    Status,
    StepProgress,
    StepState,
    StoredCredential,
    Verification,
)

__all__ = [
    "BOT",
    "RETRY_AFTER",
    "Change",
    "Event",
    "EventKind",
    "Exposure",
    "Loss",
    "Onboarding",
    "Overview",
    "Status",
    "StepProgress",
    "StepState",
    "StoredCredential",
    "Verification",
    "start",
]
