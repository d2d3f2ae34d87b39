"""An onboarding: its state, and the pure transitions that change it."""

from bot.onboarding.events import JUMPS, Event, EventKind, InvitationAnswer
from bot.onboarding.lifecycle import start
from bot.onboarding.model import (
    Deletion,
    Escalation,
    Loss,
    PostedSecret,
    Question,
    Reminder,
    Retention,
    Signed,
    Snooze,
    Status,
    StepProgress,
    StepState,
    StoredCredential,
    Verification,
)
from bot.onboarding.overview import Overview, Unread
from bot.onboarding.people import BOT
from bot.onboarding.redaction import HIDDEN, free_text, redacted
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change
from bot.onboarding.verifications import RETRY_AFTER

__all__ = [
    "BOT",
    "HIDDEN",
    "JUMPS",
    "RETRY_AFTER",
    "Change",
    "Deletion",
    "Escalation",
    "Event",
    "EventKind",
    "InvitationAnswer",
    "Loss",
    "Onboarding",
    "Overview",
    "PostedSecret",
    "Question",
    "Reminder",
    "Retention",
    "Signed",
    "Snooze",
    "Status",
    "StepProgress",
    "StepState",
    "StoredCredential",
    "Unread",
    "Verification",
    "free_text",
    "redacted",
    "start",
]
