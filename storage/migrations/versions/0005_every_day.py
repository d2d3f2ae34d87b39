"""What the daily work needs: turns, reminders, questions, hand-overs, test bookings.

A channel may have several clients, each of which runs there once at a time.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"

RUNNING = sa.text("status IN ('active', 'paused')")
ACTIVE = sa.text("status = 'active'")


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
    """Derive the new columns of old rows. `status` shows what is missing after the next change."""
    op.execute("UPDATE onboarding SET turn_at = active_at")
    op.execute(
        "UPDATE onboarding SET announcement_ts = (SELECT announced_ts FROM event "
        "WHERE event.onboarding_id = onboarding.id AND announced_ts IS NOT NULL "
        "ORDER BY event.id LIMIT 1)"
    )
    connection = op.get_bind()
    table = sa.table("onboarding", *(sa.column(name) for name in ("id", "client_name")))
    for onboarding_id, name in connection.execute(sa.select(table.c.id, table.c.client_name)).all():
        connection.execute(
            sa.text("UPDATE onboarding SET client_key = :key WHERE id = :id"),
            {"key": " ".join(name.casefold().split()), "id": onboarding_id},
        )


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
