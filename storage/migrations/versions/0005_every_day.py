"""Columns for daily work: turns, reminders, questions, handoffs, test bookings.

A channel may have several clients, each with one running onboarding at a time.
"""

import json
import tomllib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"

RUNNING = sa.text("status IN ('active', 'paused')")
ACTIVE = sa.text("status = 'active'")
ONBOARDING = sa.table(
    "onboarding",
    *(
        sa.column(name)
        for name in ("id", "client_key", "missing_values", "exposed_values", "verification")
    ),
)
CREDENTIAL = sa.table(
    "credential",
    *(sa.column(name) for name in ("onboarding_id", "field")),
    *(sa.column(name, sa.DateTime()) for name in ("submitted_at", "replaced_at")),
)
EVENT = sa.table(
    "event",
    *(sa.column(name) for name in ("onboarding_id", "kind")),
    sa.column("detail", sa.JSON()),
    sa.column("at", sa.DateTime()),
)


def _new() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "onboarding": (
            sa.Column("client_key", sa.String(), nullable=False, server_default=""),
            sa.Column("announcement_ts", sa.String(), nullable=True),
            sa.Column("reason", sa.String(), nullable=True),
            sa.Column("timezone", sa.String(), nullable=True),
            sa.Column("turn_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("missing_values", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("exposed_values", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("verification", sa.String(), nullable=True),
            sa.Column("open_questions", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("next_reminder", sa.DateTime(timezone=True), nullable=True),
        ),
        "step": (
            sa.Column("handed_over", sa.Boolean(), nullable=False, server_default=sa.false()),
        ),
        "verification": (
            sa.Column("booking", sa.String(), nullable=True),
            sa.Column("booking_sent_at", sa.DateTime(timezone=True), nullable=True),
        ),
    }


def upgrade() -> None:
    for table, columns in _new().items():
        for column in columns:
            op.add_column(table, column)
    _fill()
    with op.batch_alter_table("onboarding") as batch:
        batch.alter_column("turn_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch.alter_column("client_key", existing_type=sa.String(), server_default=None)
    op.drop_index("one_running_onboarding_per_channel", "onboarding")
    op.create_index(
        "one_running_onboarding_per_client",
        "onboarding",
        ["channel", "client_key"],
        unique=True,
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )
    # `status` lists the longest idle first; with an index over both columns, the database would
    # sort all that are active or paused.
    op.drop_index("onboarding_status_active_at", "onboarding")
    op.create_index(
        "onboarding_running_active_at",
        "onboarding",
        ["active_at", "id"],
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )
    op.create_index("onboarding_active_at", "onboarding", ["active_at", "id"])
    op.create_index(
        "onboarding_next_reminder",
        "onboarding",
        ["next_reminder"],
        sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )


def _fill() -> None:
    """Derive the new columns of old rows, as the bot itself does with each change."""
    op.execute("UPDATE onboarding SET turn_at = active_at")
    op.execute(
        "UPDATE onboarding SET announcement_ts = (SELECT announced_ts FROM event "
        "WHERE event.onboarding_id = onboarding.id AND announced_ts IS NOT NULL "
        "ORDER BY event.id LIMIT 1)"
    )
    op.execute(  # until now, questions could not be closed
        "UPDATE onboarding SET open_questions = (SELECT count(*) FROM event "
        "WHERE event.onboarding_id = onboarding.id AND kind = 'help_asked')"
    )
    connection = op.get_bind()
    guides = connection.execute(sa.text("SELECT id, version, source FROM guide"))
    asked = {(name, version): tomllib.loads(text) for name, version, text in guides}
    entered = connection.execute(sa.select(*CREDENTIAL.columns)).all()
    exposed = connection.execute(sa.select(*EVENT.columns).where(EVENT.c.kind == "exposed")).all()
    reports = dict[str, str | None](
        connection.execute(
            sa.text("SELECT onboarding_id, report FROM verification ORDER BY number")
        ).all()
    )  # the last one of each onboarding
    found = "SELECT id, client_name, guide, guide_version FROM onboarding"
    for onboarding_id, client, *guide in connection.execute(sa.text(found)).all():
        stored = {
            row.field: row.replaced_at or row.submitted_at
            for row in entered
            if row.onboarding_id == onboarding_id
        }
        known = {
            field
            for row in exposed
            for field in row.detail["fields"]
            if row.onboarding_id == onboarding_id and field in stored and stored[field] <= row.at
        }
        fields = asked.get(tuple(guide), {}).get("credentials", ())
        derived = {
            "client_key": " ".join(client.casefold().split()),
            "missing_values": sum(one["id"] not in stored for one in fields),
            "exposed_values": len(known),
            "verification": _outcome(reports[onboarding_id]) if onboarding_id in reports else None,
        }
        connection.execute(
            sa.update(ONBOARDING).where(ONBOARDING.c.id == onboarding_id).values(derived)
        )


def _outcome(report: str | None) -> str:
    """The result of a verification: failed if any check failed, passed if all passed."""
    if report is None:
        return "running"
    checks = json.loads(report)["checks"]
    if any(check["outcome"] == "failed" for check in checks):
        return "failed"
    required = [check["outcome"] for check in checks if check.get("required", True)]
    return "passed" if required and set(required) == {"passed"} else "unknown"


def downgrade() -> None:
    op.drop_index("onboarding_next_reminder", "onboarding")
    op.drop_index("onboarding_active_at", "onboarding")
    op.drop_index("onboarding_running_active_at", "onboarding")
    op.create_index("onboarding_status_active_at", "onboarding", ["status", "active_at"])
    op.drop_index("one_running_onboarding_per_client", "onboarding")
    op.create_index(
        "one_running_onboarding_per_channel",
        "onboarding",
        ["channel"],
        unique=True,
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )
    for table, columns in _new().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
