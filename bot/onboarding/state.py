"""An onboarding: its stored state, and what follows from it, such as whose turn it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from bot.core.errors import NotFound
from bot.guide import Guide, Owner, Phase, Step
from bot.onboarding.events import Event
from bot.onboarding.model import (
    Deletion,
    Heard,
    Loss,
    PostedSecret,
    Question,
    QuietOffer,
    Reminder,
    Retention,
    Signed,
    Snooze,
    Status,
    StepProgress,
    StepState,
    StoredCredential,
    TeamReply,
    Told,
    Verification,
)
from bot.onboarding.people import Role
from bot.onboarding.verification_report import Report


@dataclass(frozen=True, slots=True)
class Onboarding:
    """One client's progress through one guide."""

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
    reason: str | None = None  # why an engineer paused or canceled it
    client_team: str | None = None  # the client's organization: E… on Grid, else T…, once known
    covers_for: str | None = None  # the engineer who is away and gets it back
    engineer_email: str = ""  # empty if Slack doesn't provide it
    timezone: str | None = None  # the client's, from Slack
    account: str | None = None
    thread_ts: str | None = None
    revision: int = 0
    finished_at: datetime | None = None
    destroyed_at: datetime | None = None
    credentials: Mapping[str, StoredCredential] = field(default_factory=dict)
    verifications: tuple[Verification, ...] = ()
    posted_secrets: tuple[PostedSecret, ...] = ()
    questions: tuple[Question, ...] = ()
    team_replies: tuple[TeamReply, ...] = ()
    joined: tuple[Event, ...] = ()  # each arrival of somebody from the client in the channel
    reminders: tuple[Reminder, ...] = ()
    # When the stall began that engineering was alerted to: its last activity.
    escalated_since: datetime | None = None
    heard: Heard | None = None
    quiet_offer: QuietOffer | None = None
    retention: Retention | None = None
    deletions: tuple[Deletion, ...] = ()
    told: tuple[Told, ...] = ()
    writes_confirmed: Signed | None = None
    # Each pause, resumption and return to an earlier step: the thread points to where it is now.
    jumps: tuple[Event, ...] = ()

    def step(self, number: int) -> StepProgress:
        """Return the progress of step `number`; raises NotFound."""
        for progress in self.steps:
            if progress.number == number:
                return progress
        raise NotFound(f"There's no step {number}; the guide has {len(self.steps)}.")

    @property
    def current(self) -> Step | None:
        """The current step, None when all are finished."""
        for progress, step in zip(self.steps, self.guide.steps, strict=True):
            if progress.state is StepState.CURRENT:
                return step
        return None

    @property
    def current_step(self) -> int | None:
        return self.current.number if self.current else None

    @property
    def finished_steps(self) -> int:
        return sum(progress.finished for progress in self.steps)

    @property
    def last_done(self) -> int | None:
        """The step that was finished last, in the order of the guide, before the current one."""
        before = self.current_step or len(self.steps) + 1
        done = [step.number for step in self.steps if step.state is StepState.DONE]
        return max((number for number in done if number < before), default=None)

    @property
    def phase(self) -> Phase | None:
        return self.guide.phase_of(self.current.number) if self.current else None

    @property
    def missing(self) -> tuple[str, ...]:
        """The credentials not entered yet, in the order in which the guide shows them."""
        fields = sorted(self.guide.credentials, key=attrgetter("step"))
        return tuple(field.id for field in fields if field.id not in self.credentials)

    @property
    def verification(self) -> Verification | None:
        """The latest verification."""
        return self.verifications[-1] if self.verifications else None

    @property
    def last_verdict(self) -> Verification | None:
        """The latest verification that passed or failed."""
        runs = reversed(self.verifications)
        return next((run for run in runs if run.report and run.report.is_verdict), None)

    @property
    def to_enter_again(self) -> tuple[str, ...]:
        """The credentials that the latest verification found wrong."""
        latest = self.verification
        return latest.report.fields if latest and latest.report else ()

    @property
    def last_report(self) -> Report | None:
        """The newest report, perhaps of an earlier verification than the one that runs now."""
        return next((run.report for run in reversed(self.verifications) if run.report), None)

    @property
    def client_can_fix(self) -> Report | None:
        """The newest report, if it failed and names something that the client can do."""
        report = self.last_report
        if report is None:
            return None
        steps = {*report.steps, *(self.guide.field(name).step for name in report.fields)}
        return report if any(self.owner_of(step) is Owner.CLIENT for step in steps) else None

    @property
    def exposed(self) -> tuple[str, ...]:
        """The secrets whose stored value was posted somewhere, in the order of the guide.

        A posted ID doesn't need to be replaced.
        """
        posted = {
            name
            for secret in self.posted_secrets
            for name in secret.fields
            if name in self.credentials and self.credentials[name].at <= secret.at
        }
        fields = self.guide.credentials
        return tuple(field.id for field in fields if field.id in posted and field.is_secret)

    def asks_for(self, name: str) -> bool:
        """Whether a credential has to be entered: it is missing, or was exposed."""
        is_missing = name not in self.credentials
        return name in self.guide.field_ids and (is_missing or name in self.exposed)

    def owner_of(self, number: int) -> Owner:
        """Return which side does a step: its phase's, or HeavySet if it was handed over."""
        if self.step(number).handed_over:
            return Owner.HEAVYSET
        return self.guide.phase_of(number).owner

    @property
    def turn(self) -> Owner | None:
        """Whose turn it is: the client's too while they have to enter a credential again."""
        if self.current is None:
            return None
        if again := self.to_enter_again:
            owners = {self.owner_of(self.guide.field(name).step) for name in again}
            return Owner.CLIENT if Owner.CLIENT in owners else Owner.HEAVYSET
        return self.owner_of(self.current.number)

    @property
    def progress_at(self) -> datetime:
        """Since when the current step waits: since a step was finished, or the turn changed."""
        return max([self.turn_at, *(step.at for step in self.steps if step.at)])

    @property
    def open_questions(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.open)

    @property
    def awaited(self) -> Owner | None:
        """Who has to act now: HeavySet while a question about the current step is open."""
        if self.current and self.question:
            return Owner.HEAVYSET
        return self.turn

    @property
    def question(self) -> Question | None:
        """The newest open question about the current step."""
        asked = reversed(self.open_questions)
        return next((one for one in asked if one.step == self.current_step), None)

    @property
    def reminder(self) -> Reminder | None:
        """The latest reminder, if nothing has happened since, not even a snooze."""
        last = self._last_reminder
        return last if last and not last.snooze else None

    @property
    def snoozed(self) -> Snooze | None:
        """The latest snooze, if nothing has happened since."""
        return self._last_reminder.snooze if self._last_reminder else None

    @property
    def current_offer(self) -> QuietOffer | None:
        """The latest offer to engineering, if nothing has happened since."""
        offer = self.quiet_offer
        return offer if offer and offer.since == self.active_at else None

    @property
    def is_escalated(self) -> bool:
        """Whether engineering was alerted to the current stall."""
        return self.escalated_since == self.active_at

    @property
    def retained(self) -> Retention | None:
        """What was asked or decided about unused credentials since the last activity."""
        latest = self.retention
        return latest if latest and latest.since >= self.active_at else None

    @property
    def _last_reminder(self) -> Reminder | None:
        last = self.reminders[-1] if self.reminders else None
        return last if last and last.since == self.active_at else None

    @property
    def email(self) -> str:
        """The address that the guide leaves blank: support's, otherwise the engineer's own."""
        return self.guide.blanks.email or self.engineer_email

    @property
    def contacts(self) -> tuple[str, ...]:
        """User ids of the client's people to mention: those named, who joined, or who acted."""
        joined = (one.actor.user_id for one in self.joined)
        return tuple(dict.fromkeys([*self.client_admins, *joined, *self.client_people]))

    @property
    def is_alone(self) -> bool:
        """Whether nobody from the client is known to be in the channel."""
        return not self.contacts and self.client_team is None

    @property
    def client_people(self) -> tuple[str, ...]:
        """User ids of the client's people: those named, else those who acted, latest first."""
        if self.client_admins:
            return self.client_admins
        done = [(step.at, step.by) for step in self.steps if step.at and step.by]
        entered = [(credential.at, credential.by) for credential in self.credentials.values()]
        latest = sorted([*done, *entered], key=lambda act: act[0], reverse=True)
        users = (by.user_id for _, by in latest if by.role is Role.CLIENT_ADMIN)
        return tuple(dict.fromkeys(users))
