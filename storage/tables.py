"""The tables. Rows stay in this package: it gives and takes the pure `Onboarding`."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from storage.column_types import Json, UtcDateTime

# A client is onboarded once at a time in a channel; finished ones stay beside it.
RUNNING = text("status IN ('active', 'paused')")

ACTIVE = text("status = 'active'")

# Finished onboardings whose values are still kept.
UNDESTROYED = text("destroyed_at IS NULL")


def _time(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(UtcDateTime, nullable=nullable))


def _json() -> Any:
    return Field(sa_column=Column(Json, nullable=False))


class OnboardingRow(SQLModel, table=True):
    """One client's onboarding.

    `revision` counts its changes, `published_revision` is the one that Slack shows. Who brings
    Slack level holds the lease; `publish_after` is when to try again, `refused_since` when Slack
    first refused the thread for a reason that we do not know. `announcement_ts` is the client's
    thread in the engineering channel. After a backup was put back, `look_since` is its time: what
    was posted afterwards is not known here. `next_reminder` is when to check for a reminder;
    null: at once. `client_key` is the name as it is searched for, `client_team` the organization
    that alone acts for the client; null: not known yet. `history_length` says how many events there
    are, `history_end` seals that. The columns from `current_step` to `open_questions`
    are derived, so that `status` is one query.
    """

    __tablename__ = "onboarding"
    __table_args__ = (
        Index(
            "one_running_onboarding_per_client",
            "channel",
            "client_key",
            unique=True,
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        Index(
            "onboarding_next_reminder",
            "next_reminder",
            sqlite_where=ACTIVE,
            postgresql_where=ACTIVE,
        ),
        Index("onboarding_channel_started_at", "channel", "started_at"),
        Index(
            "onboarding_finished_at",
            "finished_at",
            sqlite_where=UNDESTROYED,
            postgresql_where=UNDESTROYED,
        ),
        Index(
            "onboarding_running_active_at",
            "active_at",
            "id",
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        Index("onboarding_active_at", "active_at", "id"),
        Index(
            "onboarding_unpublished",
            "id",
            sqlite_where=text("revision > published_revision"),
            postgresql_where=text("revision > published_revision"),
        ),
    )

    id: str = Field(primary_key=True)
    guide: str
    guide_version: str
    client_name: str
    client_key: str
    channel: str
    thread_ts: str | None = None
    announcement_ts: str | None = None
    look_since: datetime | None = _time(nullable=True)
    engineer: str
    client_admins: list[str] = _json()
    client_team: str | None = None
    account: str | None = None
    status: str
    loss: str | None = None
    reason: str | None = None
    timezone: str | None = None
    revision: int = 0
    published_revision: int = -1
    lease_owner: str | None = None
    lease_until: datetime | None = _time(nullable=True)
    publish_after: datetime | None = _time(nullable=True)
    refused_since: datetime | None = _time(nullable=True)
    current_step: int | None = None
    finished_steps: int = 0
    turn: str | None = None
    turn_at: datetime = _time()
    missing_values: int = 0
    exposed_values: int = 0
    verification: str | None = None
    open_questions: int = 0
    next_reminder: datetime | None = _time(nullable=True)
    history_length: int = 0
    history_end: str = ""
    sealed_state: dict[str, Any] = _json()
    started_at: datetime = _time()
    active_at: datetime = _time()
    finished_at: datetime | None = _time(nullable=True)
    destroyed_at: datetime | None = _time(nullable=True)
    retention_at: datetime | None = _time(nullable=True)


class StepRow(SQLModel, table=True):
    """One step of one onboarding."""

    __tablename__ = "step"

    onboarding_id: str = Field(primary_key=True, foreign_key="onboarding.id")
    number: int = Field(primary_key=True)
    state: str
    by_user: str | None = None
    by_team: str | None = None
    by_role: str | None = None
    at: datetime | None = _time(nullable=True)
    handed_over: bool = False


class MessageRow(SQLModel, table=True):
    """One message of a thread. `posting_since` without `ts`: a post whose answer is not known.

    `pin:root` and `bookmark:root` are no messages of their own, but what was done with the first.
    """

    __tablename__ = "message"

    onboarding_id: str = Field(primary_key=True, foreign_key="onboarding.id")
    slot: str = Field(primary_key=True)
    ts: str | None = None
    digest: str | None = None
    posting_since: datetime | None = _time(nullable=True)


class CredentialRow(SQLModel, table=True):
    """One encrypted value. A new value takes the old one's row, so the old one is destroyed.

    `fingerprint` is a keyed digest, to know the value again in a message without decrypting it.
    """

    __tablename__ = "credential"

    onboarding_id: str = Field(primary_key=True, foreign_key="onboarding.id")
    field: str = Field(primary_key=True)
    ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    key_id: str = Field(index=True)
    fingerprint: str | None = Field(default=None, index=True)
    mask: str
    version: int
    submitted_by_user: str
    submitted_by_team: str
    submitted_by_role: str
    submitted_at: datetime = _time()
    replaced_at: datetime | None = _time(nullable=True)


class VerificationRow(SQLModel, table=True):
    """One verification; `run_owner` is the process that runs it, and `run_until` its lease.

    `booking` is the externalId of its test booking; from `booking_sent_at` on, it may have arrived.
    """

    __tablename__ = "verification"
    __table_args__ = (Index("verification_due_at", "due_at"),)

    onboarding_id: str = Field(primary_key=True, foreign_key="onboarding.id")
    number: int = Field(primary_key=True)
    requested_by_user: str
    requested_by_team: str
    requested_by_role: str
    requested_at: datetime = _time()
    attempt: int
    report: str | None = None
    due_at: datetime | None = _time(nullable=True)
    run_owner: str | None = None
    run_until: datetime | None = _time(nullable=True)
    booking: str | None = None
    booking_sent_at: datetime | None = _time(nullable=True)


class EventRow(SQLModel, table=True):
    """One entry of the append-only history, which is also the outbox and the audit.

    `position` counts an onboarding's events, from 1. The `seal` covers all but the announcement.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("event_onboarding_id_id", "onboarding_id", "id"),
        Index("event_onboarding_id_position", "onboarding_id", "position", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True)
    onboarding_id: str = Field(foreign_key="onboarding.id")
    kind: str
    actor_user: str
    actor_team: str
    actor_role: str
    step: int | None = None
    detail: dict[str, Any] = _json()
    at: datetime = _time()
    position: int
    seal: str
    announcing_since: datetime | None = _time(nullable=True)
    announced_ts: str | None = None


class HomeRow(SQLModel, table=True):
    """An engineer who opened the app's Home lately, and so may be looking at it still.

    `published_at` is when somebody last began to publish it, `digest` what then stood there, and
    `shows` which onboardings they chose to see.
    """

    __tablename__ = "home"

    user_id: str = Field(primary_key=True)
    opened_at: datetime = _time()
    published_at: datetime | None = _time(nullable=True)
    digest: str | None = None
    shows: str = Field(default="", sa_column_kwargs={"server_default": ""})


class RevealRow(SQLModel, table=True):
    """A window in which `worker` showed stored values, by its external_id; never a value."""

    __tablename__ = "reveal"

    id: str = Field(primary_key=True)
    worker: str
    hide_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class NoticeRow(SQLModel, table=True):
    """What the engineering channel was told once, and not again while it is so.

    `since` is when somebody claimed to post it; without `ts`, that answer is not known.
    """

    __tablename__ = "notice"

    id: str = Field(primary_key=True)
    since: datetime = _time()
    ts: str | None = None


class DeliveryRow(SQLModel, table=True):
    """A request of Slack's that changed something: a repetition of it changes nothing more."""

    __tablename__ = "delivery"

    id: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class ArrivalRow(SQLModel, table=True):
    """When something of a kind last came from Slack, or claimed to."""

    __tablename__ = "arrival"

    kind: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class RateRow(SQLModel, table=True):
    """How much of something somebody did `since` then; what and who is in the id."""

    __tablename__ = "rate"

    id: str = Field(primary_key=True)
    since: datetime = _time()
    count: int


class GuideRow(SQLModel, table=True):
    """The text of a guide version that some onboarding started with."""

    __tablename__ = "guide"

    id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    source: str
