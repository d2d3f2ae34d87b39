"""The parts of an onboarding: steps, credentials, verifications, questions, reminders, events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.guide import Guide, Owner
from bot.onboarding.people import Actor, Role
from bot.onboarding.report import Report

# The actor of what nobody asked for.
BOT = Actor("", "", Role.BOT)


class Status(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    """The state of a step. At most one step is current."""

    WAITING = "waiting"
    CURRENT = "current"
    DONE = "done"
    SKIPPED = "skipped"


class EventKind(StrEnum):
    """What can happen. The values are stored: never rename one."""

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
    REPLY_SENT = "reply_sent"
    NOTED = "noted"
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
    MEMBER_JOINED = "member_joined"
    INVITATION_ANSWERED = "invitation_answered"
    THREAD_DELETED = "thread_deleted"
    REFUSED = "refused"
    EXPOSED = "exposed"
    EXPOSED_AGAIN = "exposed_again"
    HISTORY_SEALED = "history_sealed"
    UNKNOWN = "unknown"  # never stored: a kind that this release cannot read


# What the thread's end points out, as the current step's message may be far above.
JUMPS = frozenset({EventKind.STEP_UNDONE, EventKind.PAUSED, EventKind.RESUMED})


class InvitationAnswer(StrEnum):
    """The answer to a channel invitation; an accepted one may need an admin's approval."""

    ACCEPTED = "accepted"
    APPROVED = "approved"
    DECLINED = "declined"


class Loss(StrEnum):
    """Why a channel can no longer be used; the onboarding is then paused."""

    BOT_REMOVED = "bot_removed"
    ARCHIVED = "archived"
    UNSHARED = "unshared"
    UNINSTALLED = "uninstalled"
    REFUSED = "refused"

    @property
    def silent(self) -> bool:
        """Whether we can no longer post in the channel."""
        return self is not Loss.UNSHARED


@dataclass(frozen=True, slots=True)
class StepProgress:
    """The progress of one step. `handed_over`: HeavySet does it instead of the client."""

    number: int
    state: StepState = StepState.WAITING
    by: Actor | None = None
    at: datetime | None = None
    handed_over: bool = False

    @property
    def finished(self) -> bool:
        """Whether the step is done or skipped."""
        return self.state in (StepState.DONE, StepState.SKIPPED)


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """What may be shown of a stored credential; only the vault can read the value."""

    mask: str
    by: Actor
    at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Verification:
    """One run against ServiceTitan; without a report it has not run yet.

    `requested_at` tells a run from its repetition with newer credentials. `booking` is the
    externalId of its test booking, which may have arrived at any time since `booking_sent_at`.
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
        """When to ask ServiceTitan (again), None if never."""
        return self.requested_at if self.report is None else self.retry_at


@dataclass(frozen=True, slots=True)
class PostedSecret:
    """Credentials that were posted where others can read them; `fingerprints` are keyed digests.

    `elsewhere`: in a channel other than the client's. `replaced` are those that were entered again
    since: that stays so, whatever is posted or deleted later.
    """

    number: int
    fields: tuple[str, ...]
    by: Actor
    at: datetime
    fingerprints: tuple[str, ...] = ()
    elsewhere: bool = False
    replaced: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """A question from the client, open until an engineer answers.

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
        return self.passage is None and self.answered_at is None


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody of the client who came into the channel, and the current step then."""

    number: int
    by: Actor
    at: datetime
    step: int | None = None


@dataclass(frozen=True, slots=True)
class TeamReply:
    """What an engineer wrote elsewhere, to be posted in the thread in their name.

    `to` is whose question it answers, if it does.
    """

    number: int
    text: str
    by: Actor
    at: datetime
    to: Actor | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """Who did something, and when."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Snooze(Signed):
    """Who postponed the next reminder, and when; `until` is the new time."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder in the thread: about which step, and to which side.

    `since` is the last activity before it. It tells which stall the reminder belongs to, even if
    the clock was set back.
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
    """An alert to engineering about a stall that began with the last activity, `since`."""

    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Retention:
    """A question to engineering about unused credentials, or their decision to keep them.

    It holds `until` then. `since` is the last activity before it: any later one makes it void.
    """

    at: datetime
    until: datetime
    since: datetime
    kept_by: Actor | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """Credentials deleted after `days` without activity, with the `versions` they had."""

    number: int
    versions: Mapping[str, int]
    at: datetime
    days: int


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the history. `detail` is JSON and never holds a credential.

    A `quiet` one is not announced to the engineering channel, whatever its kind.
    """

    kind: EventKind
    actor: Actor
    at: datetime
    step: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False


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
