"""An onboarding as lists show it: `status`, and the app's Home."""

from dataclasses import dataclass
from datetime import datetime

from bot.guide import Guide, Owner
from bot.onboarding.model import Loss, Status


@dataclass(frozen=True, slots=True)
class Unread:
    """An onboarding that cannot be read, as `status` lists it."""

    id: str
    client_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    """An onboarding as `status` lists it, without its steps."""

    id: str
    guide: Guide
    client_name: str
    channel: str
    thread_ts: str | None
    engineer: str
    status: Status
    current_step: int | None
    finished_steps: int
    turn: Owner | None
    turn_at: datetime
    started_at: datetime
    active_at: datetime
    missing_values: int = 0
    exposed_values: int = 0
    open_questions: int = 0
    verification: str | None = None  # running, or the outcome of the latest report
    loss: Loss | None = None
    timezone: str | None = None
