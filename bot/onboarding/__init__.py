"""An onboarding: its state, and the pure transitions that change it."""

from bot.onboarding.events import (
    JUMPS as JUMPS,
    Event as Event,
    EventKind as EventKind,
    InvitationAnswer as InvitationAnswer,
)
from bot.onboarding.lifecycle import start as start
from bot.onboarding.model import (
    Deletion as Deletion,
    Escalation as Escalation,
    Loss as Loss,
    PostedSecret as PostedSecret,
    Question as Question,
    Reminder as Reminder,
    Retention as Retention,
    Signed as Signed,
    Snooze as Snooze,
    Status as Status,
    StepProgress as StepProgress,
    StepState as StepState,
    StoredCredential as StoredCredential,
    Verification as Verification,
)
from bot.onboarding.overview import Overview as Overview, Unread as Unread
from bot.onboarding.people import BOT as BOT
from bot.onboarding.redaction import HIDDEN as HIDDEN, free_text as free_text, redacted as redacted
from bot.onboarding.state import Onboarding as Onboarding
from bot.onboarding.transitions import Change as Change
from bot.onboarding.verifications import RETRY_AFTER as RETRY_AFTER
