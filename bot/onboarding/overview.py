"""An onboarding as lists show it: `status`, the app's Home, the digest."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.guide import Guide, Owner
from bot.onboarding.business_time import calendar_of
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
    checked_at: datetime | None = None  # when the latest report was made
    loss: Loss | None = None
    timezone: str | None = None
    covers_for: str | None = None
    phase_at: datetime | None = None  # when the current phase began

    @property
    def is_failing(self) -> bool:
        """Whether a live client's connection has stopped working."""
        return self.status is Status.COMPLETED and self.verification == "failed"

    @property
    def waits_for_us(self) -> bool:
        """Whether HeavySet has to act: our turn, an open question, or a lost channel."""
        if self.status not in (Status.ACTIVE, Status.PAUSED):
            return False
        ours = self.status is Status.ACTIVE and self.turn is Owner.HEAVYSET
        return bool(self.loss or self.open_questions or ours)


@dataclass(frozen=True, slots=True)
class Stall:
    """An active onboarding is stalled after this much business time without activity.

    `timezone` applies to clients whose own is not known.
    """

    after: timedelta
    timezone: str

    def prepare(self, now: datetime) -> None:
        """Load this year's holidays in `timezone`, which takes a moment the first time."""
        calendar_of(None, self.timezone).is_open(now)

    def applies(
        self, status: str, active_at: datetime, timezone: str | None, now: datetime
    ) -> bool:
        if status != Status.ACTIVE:
            return False
        return calendar_of(timezone, self.timezone).elapsed(active_at, now) >= self.after

    def applies_to(self, line: Overview, now: datetime) -> bool:
        return self.applies(line.status, line.active_at, line.timezone, now)
