"""The parts of an onboarding: steps, credentials, verifications, questions, reminders."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.guide import Owner
from bot.onboarding.people import Actor
from bot.onboarding.verification_report import Check, Outcome, Report


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


class Loss(StrEnum):
    """Why a channel can no longer be used; the onboarding is then paused."""

    BOT_REMOVED = "bot_removed"
    ARCHIVED = "archived"
    UNSHARED = "unshared"  # the bot can still post there
    UNINSTALLED = "uninstalled"
    REFUSED = "refused"


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

    `booking` is the externalId of its test booking, which may have arrived at any time since
    `booking_sent_at`. The thread does not show a `recheck`, which is made after go-live:
    automatically each week, or by an engineer for all clients.
    """

    number: int
    requested_by: Actor
    requested_at: datetime
    attempt: int = 0
    report: Report | None = None
    retry_at: datetime | None = None
    booking: str | None = None
    booking_sent_at: datetime | None = None
    recheck: bool = False

    @property
    def identity(self) -> tuple[int, datetime, int]:
        """What differs from a repetition: with newer credentials, or after an attempt."""
        return self.number, self.requested_at, self.attempt

    @property
    def due_at(self) -> datetime | None:
        """When to ask ServiceTitan (again), None if never."""
        return self.requested_at if self.report is None else self.retry_at

    @property
    def outcome(self) -> Outcome | None:
        return self.report.outcome if self.report else None

    @property
    def failed(self) -> tuple[Check, ...]:
        return self.report.failed if self.report else ()


@dataclass(frozen=True, slots=True)
class PostedSecret:
    """Credentials that were posted where others can read them; `fingerprints` are keyed digests.

    `elsewhere`: in a channel other than the client's. `replaced` are those that have been entered
    again since; they stay replaced, whatever is posted or deleted later.
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

    `passage` is the part of the guide that answered it; then it was never open. `ts` and
    `answer_ts` are the messages in the thread that ask and answer, as far as they are known.
    """

    number: int
    step: int
    text: str
    by: Actor
    at: datetime
    passage: str | None = None
    answered_by: Actor | None = None
    answered_at: datetime | None = None
    ts: str = ""
    answer_ts: str = ""

    @property
    def open(self) -> bool:
        return self.passage is None and self.answered_at is None

    @property
    def waited(self) -> timedelta | None:
        """How long people took to answer, None if they haven't."""
        return max(self.answered_at - self.at, timedelta()) if self.answered_at else None


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
class Told(Signed):
    """Who informed the client of what verification `number` found after go-live, and when."""

    number: int


@dataclass(frozen=True, slots=True)
class Snooze(Signed):
    """Who postponed the next reminder, and when; `until` is the new time."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder in the thread: about which step, and to which side.

    `since` is the last activity before it. It tells which stall the reminder belongs to, even if
    the clock was set back. `follow_up` counts those of FOLLOW_UPS in the stall, from 1; `last` says
    that no more are sent automatically. `answer` is the first message from that side afterwards.
    """

    number: int
    step: int
    to: Owner
    by: Actor
    at: datetime
    since: datetime
    follow_up: int = 1
    last: bool = False
    snooze: Snooze | None = None
    answer: Signed | None = None


@dataclass(frozen=True, slots=True)
class Heard(Signed):
    """A side's latest message in the thread, and at which step; never what it says.

    It may name a day: follow-ups wait `until` that morning.
    """

    side: Owner
    step: int | None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuietOffer:
    """What engineering may do about a stall after the last follow-up, such as pausing it.

    `since` is the last activity before it: any later one makes it void. `put_off` says who chose to
    ask again, at `again_at`.
    """

    number: int
    at: datetime
    since: datetime
    put_off: Signed | None = None
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """A question to engineering about unused credentials, or their decision to keep them.

    It expires at `until`. `since` is the last activity before it: any later one makes it void.
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
