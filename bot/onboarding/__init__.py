"""One onboarding: what it is made of, and the pure state machine that it goes through."""

from bot.onboarding.machine import Change, Onboarding, start
from bot.onboarding.records import (
    BOT,
    Escalation,
    Event,
    EventKind,
    Exposure,
    InvitationAnswer,
    Loss,
    Overview,
    Question,
    Reminder,
    Signed,
    Snooze,
    Status,
    StepProgress,
    StepState,
    StoredCredential,
    Unread,
    Verification,
)
from bot.onboarding.verifying import RETRY_AFTER

__all__ = [
    "BOT",
    "RETRY_AFTER",
    "Change",
    "Escalation",
    "Event",
    "EventKind",
    "Exposure",
    "InvitationAnswer",
    "Loss",
    "Onboarding",
    "Overview",
    "Question",
    "Reminder",
    "Signed",
    "Snooze",
    "Status",
    "StepProgress",
    "StepState",
    "StoredCredential",
    "Unread",
    "Verification",
    "start",
]
