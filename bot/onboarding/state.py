"""Where an onboarding stands, and what follows from it: whose turn, what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.errors import NotFound
from bot.guide import Guide, Owner, Phase, Step
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
from bot.onboarding.people import Role
from bot.onboarding.report import Outcome


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one client stands on the way through one guide."""

    id: str
    guide: Guide
    client_name: str
    channel: str
    engineer: str
    client_admins: tuple[str, ...]
    started_at: datetime
    active_at: datetime
    steps: tuple[StepProgress, ...]
    turn_at: datetime
    status: Status = Status.ACTIVE
    loss: Loss | None = None
    reason: str | None = None  # why it is paused or cancelled, in an engineer's words
    client_team: str | None = None  # the client's organization: E… on Grid, else T…, once known
    timezone: str | None = None  # the client's, as Slack tells it
    account: str | None = None
    thread_ts: str | None = None
    revision: int = 0
    finished_at: datetime | None = None
    destroyed_at: datetime | None = None
    credentials: Mapping[str, StoredCredential] = field(default_factory=dict)
    verifications: tuple[Verification, ...] = ()
    posted_secrets: tuple[PostedSecret, ...] = ()
    questions: tuple[Question, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    escalation: Escalation | None = None
    retention: Retention | None = None
    deletions: tuple[Deletion, ...] = ()
    writes_confirmed: Signed | None = None

    def step(self, number: int) -> StepProgress:
        """Return the progress of step `number`."""
        for progress in self.steps:
            if progress.number == number:
                return progress
        raise NotFound(f"There is no step {number}; the guide has {len(self.steps)}.")

    @property
    def current(self) -> Step | None:
        """The step whose turn it is, None when all are finished."""
        for progress in self.steps:
            if progress.state is StepState.CURRENT:
                return self.guide.step(progress.number)
        return None

    @property
    def finished_steps(self) -> int:
        """How many steps need nothing more."""
        return sum(progress.finished for progress in self.steps)

    @property
    def phase(self) -> Phase | None:
        """The phase of the current step."""
        return self.guide.phase_of(self.current.number) if self.current else None

    @property
    def missing(self) -> tuple[str, ...]:
        """The credentials not entered yet, in the order in which the guide shows them."""
        fields = sorted(self.guide.credentials, key=lambda one: one.step)
        return tuple(one.id for one in fields if one.id not in self.credentials)

    @property
    def verification(self) -> Verification | None:
        """The latest verification."""
        return self.verifications[-1] if self.verifications else None

    @property
    def to_enter_again(self) -> tuple[str, ...]:
        """The credentials that the latest verification found wrong."""
        latest = self.verification
        if latest is None or latest.report is None or latest.report.outcome is not Outcome.FAILED:
            return ()
        return latest.report.fields

    @property
    def exposed(self) -> tuple[str, ...]:
        """The credentials whose stored value others may know, in the order of the guide."""
        known = {
            name
            for posted_secret in self.posted_secrets
            for name in posted_secret.fields
            if name in self.credentials and self.credentials[name].at <= posted_secret.at
        }
        return tuple(field.id for field in self.guide.credentials if field.id in known)

    def asks_for(self, name: str) -> bool:
        """Whether a value is still to be entered: there is none, or others may know it."""
        fields = {field.id for field in self.guide.credentials}
        return name in fields and (name not in self.credentials or name in self.exposed)

    def owner_of(self, number: int) -> Owner:
        """Whose work a step is: its phase's side, or HeavySet's if it was handed over."""
        if self.step(number).handed_over:
            return Owner.HEAVYSET
        return self.guide.phase_of(number).owner

    @property
    def turn(self) -> Owner | None:
        """Whose turn it is: the client also enters again what was found wrong."""
        if self.current is None:
            return None
        if again := self.to_enter_again:
            owners = {self.owner_of(self.guide.field(name).step) for name in again}
            return Owner.CLIENT if Owner.CLIENT in owners else Owner.HEAVYSET
        return self.owner_of(self.current.number)

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """The questions that an engineer owes an answer."""
        return tuple(question for question in self.questions if question.open)

    @property
    def awaited(self) -> Owner | None:
        """Who is to act now: HeavySet too, while a question about the current step is open."""
        if self.current and self.question:
            return Owner.HEAVYSET
        return self.turn

    @property
    def question(self) -> Question | None:
        """The newest open question about the current step: it may be what the client waits for."""
        number = self.current.number if self.current else None
        return next((one for one in reversed(self.open_questions) if one.step == number), None)

    @property
    def reminder(self) -> Reminder | None:
        """The nudge that nothing has followed yet."""
        last = self._last_reminder
        return last if last and not last.snooze else None

    @property
    def snoozed(self) -> Snooze | None:
        """The snooze that nothing has followed yet."""
        return self._last_reminder.snooze if self._last_reminder else None

    @property
    def stalled_since(self) -> datetime:
        """From when on the time until a nudge counts: the last activity, or the snooze after it."""
        return max(self.active_at, self.snoozed.at) if self.snoozed else self.active_at

    @property
    def escalated_at(self) -> datetime | None:
        """When engineering was told that nothing has happened since the last activity."""
        told = self.escalation
        return told.at if told and told.since == self.active_at else None

    @property
    def _last_reminder(self) -> Reminder | None:
        last = self.reminders[-1] if self.reminders else None
        return last if last and last.since == self.active_at else None

    @property
    def client_people(self) -> tuple[str, ...]:
        """The client's people, by user id: who was named, else who did something, latest first."""
        if self.client_admins:
            return self.client_admins
        done = [(one.at, one.by) for one in self.steps if one.at and one.by]
        entered = [(one.at, one.by) for one in self.credentials.values()]
        latest = sorted([*done, *entered], key=lambda entry: entry[0], reverse=True)
        users = (by.user_id for _, by in latest if by.role is Role.CLIENT_ADMIN)
        return tuple(dict.fromkeys(users))
