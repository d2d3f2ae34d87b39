"""What an onboarding is made of: how far its steps are, its values, verifications and events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.guide import Guide, Owner
from bot.onboarding.people import Actor, Role
from bot.onboarding.report import Report

# Who does what nobody asked for.
BOT = Actor("", "", Role.BOT)


class Status(StrEnum):
    """Where an onboarding as a whole stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    """Where one step stands. At most one step is current."""

    WAITING = "waiting"
    CURRENT = "current"
    DONE = "done"
    SKIPPED = "skipped"


class EventKind(StrEnum):
    """What the history knows."""

    STARTED = "started"
    ACCOUNT_CHOSEN = "account_chosen"
    STEP_DONE = "step_done"
    STEP_SKIPPED = "step_skipped"
    STEP_UNDONE = "step_undone"
    CREDENTIAL_ENTERED = "credential_entered"
    CREDENTIAL_REPLACED = "credential_replaced"
    CREDENTIALS_REVEALED = "credentials_revealed"
    CREDENTIALS_DESTROYED = "credentials_destroyed"
    RETENTION_ASKED = "retention_asked"
    CREDENTIALS_KEPT = "credentials_kept"
    CREDENTIALS_EXPIRED = "credentials_expired"
    PLATFORM_OUTDATED = "platform_outdated"
    VERIFICATION_REQUESTED = "verification_requested"
    VERIFICATION_FINISHED = "verification_finished"
    WRITES_CONFIRMED = "writes_confirmed"
    HELP_ASKED = "help_asked"
    HELP_ANSWERED = "help_answered"
    GUIDE_ANSWERED = "guide_answered"
    STEPS_HANDED_OVER = "steps_handed_over"
    STEPS_GIVEN_BACK = "steps_given_back"
    HANDED_OVER = "handed_over"
    ASSIGNED = "assigned"
    REMINDED = "reminded"
    SNOOZED = "snoozed"
    ESCALATED = "escalated"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANNEL_MOVED = "channel_moved"
    CLIENT_INVITED = "client_invited"
    CLIENT_JOINED = "client_joined"
    INVITATION_ANSWERED = "invitation_answered"
    THREAD_DELETED = "thread_deleted"
    REFUSED = "refused"
    EXPOSED = "exposed"
    EXPOSED_AGAIN = "exposed_again"
    HISTORY_SEALED = "history_sealed"
    UNKNOWN = "unknown"  # never written: one that this release cannot read


class InvitationAnswer(StrEnum):
    """What became of an invitation to the channel; who accepted may need an admin's approval."""

    ACCEPTED = "accepted"
    APPROVED = "approved"
    DECLINED = "declined"


class Loss(StrEnum):
    """Why a channel is of no use to an onboarding, which then is paused."""

    BOT_REMOVED = "bot_removed"
    ARCHIVED = "archived"
    UNSHARED = "unshared"
    UNINSTALLED = "uninstalled"
    REFUSED = "refused"

    @property
    def silent(self) -> bool:
        """Whether we cannot even post in the channel any more."""
        return self is not Loss.UNSHARED


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How far one step is, and who brought it there. `handed_over`: HeavySet does it instead."""

    number: int
    state: StepState = StepState.WAITING
    by: Actor | None = None
    at: datetime | None = None
    handed_over: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do here."""
        return self.state in (StepState.DONE, StepState.SKIPPED)


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """What may be known of a stored value; the value itself only the vault can read."""

    mask: str
    by: Actor
    at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Verification:
    """One run against ServiceTitan; without a report it is still to be run.

    `requested_at` tells a run from its repetition with newer values. `booking` is the externalId
    of the test booking that goes with it; from `booking_sent_at` on, that may have arrived.
    """

    number: int
    requested_by: Actor
    requested_at: datetime
    attempt: int = 0
    report: Report | None = None
    retry_at: datetime | None = None
    booking: str | None = None
    booking_sent_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When ServiceTitan is to be asked, None if never (again)."""
        return self.requested_at if self.report is None else self.retry_at


@dataclass(frozen=True, slots=True)
class PostedSecret:
    """Credentials that were posted where others read them; `fingerprints` are keyed digests.

    `elsewhere`: in another channel, not in the client's.
    """

    number: int
    fields: tuple[str, ...]
    by: Actor
    at: datetime
    fingerprints: tuple[str, ...] = ()
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody of the client asked; open until an engineer writes in the thread.

    `passage` is the part of the guide that answered it; then it was never open.
    """

    number: int
    step: int
    text: str
    by: Actor
    at: datetime
    passage: str | None = None
    answered_by: Actor | None = None
    answered_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether an engineer owes an answer."""
        return self.passage is None and self.answered_at is None


@dataclass(frozen=True, slots=True)
class Signed:
    """That somebody said so, and when."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Snooze(Signed):
    """That somebody put the next nudge off; `until` says how far."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """A nudge in the thread: about which step, and to which side.

    `since` is the last activity before it. It tells to which stall the nudge belongs, also where
    the clock has been set back.
    """

    number: int
    step: int
    to: Owner
    by: Actor
    at: datetime
    since: datetime
    snooze: Snooze | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """That engineering was told of a stall, which began with the last activity, `since`."""

    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Retention:
    """That engineering was asked about unused values, or decided to keep them, `until` then.

    `since` is the last activity before it: whatever happens afterwards makes it void.
    """

    at: datetime
    until: datetime
    since: datetime
    kept_by: Actor | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """That values were deleted as nothing had happened for `days`; the `versions` they had."""

    number: int
    versions: Mapping[str, int]
    at: datetime
    days: int


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the history. `detail` is JSON and never holds a credential."""

    kind: EventKind
    actor: Actor
    at: datetime
    step: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """What `status` says of an onboarding that cannot be read."""

    id: str
    client_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What `status` says of an onboarding, without its steps."""

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
