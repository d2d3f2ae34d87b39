"""What an onboarding is made of: how far its steps are, its values, verifications and events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.guide import Owner
from bot.people import Actor, Role
from bot.report import Report

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
    PLATFORM_OUTDATED = "platform_outdated"
    VERIFICATION_REQUESTED = "verification_requested"
    VERIFICATION_FINISHED = "verification_finished"
    HELP_ASKED = "help_asked"
    HANDED_OVER = "handed_over"
    COMPLETED = "completed"
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANNEL_MOVED = "channel_moved"
    CLIENT_JOINED = "client_joined"
    REFUSED = "refused"
    EXPOSED = "exposed"


class Loss(StrEnum):
    """Why a channel is of no use to an onboarding, which then is paused."""

    BOT_REMOVED = "bot_removed"
    ARCHIVED = "archived"
    UNSHARED = "unshared"
    UNINSTALLED = "uninstalled"

    @property
    def silent(self) -> bool:
        """Whether we cannot even post in the channel any more."""
        return self is not Loss.UNSHARED


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How far one step is, and who brought it there."""

    number: int
    state: StepState = StepState.WAITING
    by: Actor | None = None
    at: datetime | None = None

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

    `requested_at` tells a run from its repetition with newer values.
    """

    number: int
    requested_by: Actor
    requested_at: datetime
    attempt: int = 0
    report: Report | None = None
    retry_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When ServiceTitan is to be asked, None if never (again)."""
        return self.requested_at if self.report is None else self.retry_at


@dataclass(frozen=True, slots=True)
class Exposure:
    """Somebody wrote values where others read them."""

    number: int
    fields: tuple[str, ...]
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the history. `detail` is JSON and never holds a credential."""

    kind: EventKind
    actor: Actor
    at: datetime
    step: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """What `status` says of an onboarding, without its steps."""

    id: str
    client_name: str
    channel: str
    thread_ts: str | None
    engineer: str
    status: Status
    current_step: int | None
    finished_steps: int
    turn: Owner | None
    active_at: datetime
