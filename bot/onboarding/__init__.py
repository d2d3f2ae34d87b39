"""An onboarding: its state, and the pure transitions that change it."""

from bot.onboarding.events import (
    Event as Event,
    EventKind as EventKind,
    InvitationAnswer as InvitationAnswer,
)
from bot.onboarding.lifecycle import start as start
from bot.onboarding.model import (
    Deletion as Deletion,
    Loss as Loss,
    PostedSecret as PostedSecret,
    Question as Question,
    Reminder as Reminder,
    Status as Status,
    StepProgress as StepProgress,
    StepState as StepState,
    Verification as Verification,
)
from bot.onboarding.overview import Overview as Overview, Unread as Unread
from bot.onboarding.people import BOT as BOT
from bot.onboarding.redaction import redacted as redacted
from bot.onboarding.state import Onboarding as Onboarding
from bot.onboarding.transitions import Change as Change
