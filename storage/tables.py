"""The tables. Rows stay in this package, which takes and returns the pure `Onboarding`."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, TextClause, false, text
from sqlmodel import Field, SQLModel

from storage.column_types import Json, UtcDateTime

# There is at most one of these per client and channel.
RUNNING = text("status IN ('active', 'paused')")
ACTIVE = text("status = 'active'")
COVERED = text("covers_for IS NOT NULL")
ENDED = text("status NOT IN ('active', 'paused')")
LOST = text("loss IS NOT NULL")
UNPUBLISHED = text("revision > published_revision")
UNDESTROYED = text("destroyed_at IS NULL")
UNANNOUNCED = text("announced_ts IS NULL")
DUE = text("due_at IS NOT NULL")
# Complete, and the credentials are kept: these are checked again each week.
LIVE = text("status = 'completed' AND destroyed_at IS NULL")
# Those that an engineer's Home shows.
FAILING = text("status = 'completed' AND destroyed_at IS NULL AND verification = 'failed'")


def _time(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(sa_column=Column(UtcDateTime, nullable=nullable, index=index))


def _partial(name: str, where: TextClause, *columns: str, unique: bool = False) -> Index:
    """Return an index of only those rows for which `where` holds."""
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _json() -> Any:
    return Field(sa_column=Column(Json, nullable=False))


class OnboardingRow(SQLModel, table=True):
    """One client's onboarding.

    `revision` counts its changes, and `published_revision` is the one that Slack shows. The worker
    that publishes it holds the lease; `publish_after` is when to try again, `refused_since` when
    Slack first refused the thread for an unknown reason. `announcement_ts` is the client's thread
    in the engineering channel. After a backup was restored, `look_since` is the time of the backup:
    later messages are unknown. `next_reminder` is when to check for a due reminder (null: now).
    `next_check` is when to check the connection of a live client again (null: to be determined).
    `client_key` is the name in its searchable form, `client_team` the organization that acts for
    the client (null: unknown yet). `covers_for` is the engineer who is away and gets it back.
    `history_length` counts the events, and `history_end` is their seal. The columns from
    `current_step` to `open_questions` are derived, so that `status` is one query.
    """

    __tablename__ = "onboarding"
    __table_args__ = (
        _partial(
            "one_running_onboarding_per_client", RUNNING, "channel", "client_key", unique=True
        ),
        _partial("onboarding_next_reminder", ACTIVE, "next_reminder"),
        Index("onboarding_channel_started_at", "channel", "started_at"),
        Index("onboarding_announcement_ts", "announcement_ts"),
        _partial("onboarding_lost", LOST, "loss"),
        _partial("onboarding_ended", ENDED, "finished_at", "status"),
        _partial("onboarding_finished_at", UNDESTROYED, "finished_at"),
        # Includes what a search, a filter, and a Home's order need, so that they read no rows.
        _partial(
            "onboarding_running_active",
            RUNNING,
            *("active_at", "id", "client_key", "engineer"),
            *("exposed_values", "open_questions", "verification", "loss"),
        ),
        Index("onboarding_active", "active_at", "id", "client_key"),
        _partial("onboarding_next_check", LIVE, "next_check"),
        _partial("onboarding_failing", FAILING, "active_at"),
        _partial("onboarding_covers_for", COVERED, "covers_for"),
        _partial("onboarding_unpublished_active_at", UNPUBLISHED, "active_at"),
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
    covers_for: str | None = None
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
    phase_at: datetime | None = _time(nullable=True)
    missing_values: int = 0
    exposed_values: int = 0
    verification: str | None = None
    checked_at: datetime | None = _time(nullable=True)
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
    next_check: datetime | None = _time(nullable=True)


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
    """One message of a thread. `posting_since` without `ts` is a post with an unknown result.

    `pin:root` and `bookmark:root` are the pin and the bookmark of the first message.
    """

    __tablename__ = "message"

    onboarding_id: str = Field(primary_key=True, foreign_key="onboarding.id")
    slot: str = Field(primary_key=True)
    ts: str | None = None
    digest: str | None = None
    posting_since: datetime | None = _time(nullable=True)


class CredentialRow(SQLModel, table=True):
    """One encrypted value. A new value overwrites the old one's row.

    `fingerprint` is a keyed digest that finds the value in a message without decrypting it.
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
    """One verification; the lease of the process that runs it is `run_owner` and `run_until`.

    `booking` is the externalId of its test booking; from `booking_sent_at` on, it may exist.
    """

    __tablename__ = "verification"
    __table_args__ = (_partial("verification_due", DUE, "due_at"),)

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
    recheck: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class EventRow(SQLModel, table=True):
    """One entry of the append-only history, which is also the outbox and the audit trail.

    `position` counts an onboarding's events, from 1. The `seal` covers all but the announcement.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("event_onboarding_id_position", "onboarding_id", "position", unique=True),
        _partial("event_unannounced", UNANNOUNCED, "onboarding_id"),
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


class SummaryRow(SQLModel, table=True):
    """What a report needs of the first `history_length` events of an onboarding.

    Derived, and computed again when the history has grown or `version` isn't this release's.
    """

    __tablename__ = "summary"

    onboarding_id: str = Field(primary_key=True, foreign_key="onboarding.id")
    history_length: int
    version: int
    figures: str


class HomeRow(SQLModel, table=True):
    """An engineer who opened the app's Home recently and may still be looking at it.

    `published_at` is when publishing last started, `digest` is the digest of the published content,
    and `shows` which onboardings they chose to see.
    """

    __tablename__ = "home"

    user_id: str = Field(primary_key=True)
    opened_at: datetime = _time()
    published_at: datetime | None = _time(nullable=True)
    digest: str | None = None
    shows: str = Field(default="", sa_column_kwargs={"server_default": ""})


class AbsenceRow(SQLModel, table=True):
    """An engineer who is away `until` then, and who covers for them."""

    __tablename__ = "absence"

    engineer: str = Field(primary_key=True)
    colleague: str
    since: datetime = _time()
    until: datetime = _time()


class RevealRow(SQLModel, table=True):
    """A window in which `worker` shows stored values, by its external_id; never a value."""

    __tablename__ = "reveal"

    id: str = Field(primary_key=True)
    worker: str
    hide_at: datetime = _time(index=True)


class NoticeRow(SQLModel, table=True):
    """A notice that was posted once in the engineering channel, not repeated while it is true.

    `since` is when a worker claimed to post it; without `ts`, the result is unknown.
    """

    __tablename__ = "notice"

    id: str = Field(primary_key=True)
    since: datetime = _time()
    ts: str | None = None


class CheckRoundRow(SQLModel, table=True):
    """A round of `check all`: `clients` are onboardings, and those before `position` were asked.

    At most one is `running` (null: it is over). `next_at` is when to ask the next ones, `shown` the
    progress that Slack shows.
    """

    __tablename__ = "check_round"

    id: str = Field(primary_key=True)
    running: bool | None = Field(unique=True)
    by_user: str
    by_team: str
    started_at: datetime = _time()
    clients: list[str] = _json()
    position: int = 0
    next_at: datetime = _time()
    shown: int = 0


class PictureRow(SQLModel, table=True):
    """A picture of the guide as a file in Slack, by the digest of its content.

    `since` is when it was uploaded or, without `file_id`, when a worker claimed the upload; `count`
    is the number of uploads.
    """

    __tablename__ = "picture"

    digest: str = Field(primary_key=True)
    since: datetime = _time()
    file_id: str | None = None
    count: int


class DeliveryRow(SQLModel, table=True):
    """The key of a request that was carried out, so that a repeated request changes nothing."""

    __tablename__ = "delivery"

    id: str = Field(primary_key=True)
    at: datetime = _time(index=True)


class ArrivalRow(SQLModel, table=True):
    """When a request of a kind last arrived."""

    __tablename__ = "arrival"

    kind: str = Field(primary_key=True)
    at: datetime = _time()


class RateRow(SQLModel, table=True):
    """A rate limit's counter, started at `since`; the id says who did what."""

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


# The tables that a press reads and writes, for statements that bypass the ORM.
TABLES = SQLModel.metadata.tables
ONBOARDING, STEP, MESSAGE = TABLES["onboarding"], TABLES["step"], TABLES["message"]
CREDENTIAL, VERIFICATION, EVENT = TABLES["credential"], TABLES["verification"], TABLES["event"]
