"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    op.create_table(
        "guide",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version"),
    )
    op.create_table(
        "onboarding",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("guide", sa.String(), nullable=False),
        sa.Column("guide_version", sa.String(), nullable=False),
        sa.Column("client_name", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("thread_ts", sa.String(), nullable=True),
        sa.Column("engineer", sa.String(), nullable=False),
        sa.Column("client_admins", sa.JSON(), nullable=False),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("published_revision", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publish_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_step", sa.Integer(), nullable=True),
        sa.Column("finished_steps", sa.Integer(), nullable=False),
        sa.Column("turn", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "onboarding_channel_started_at", "onboarding", ["channel", "started_at"], unique=False
    )
    op.create_index(
        "onboarding_status_active_at", "onboarding", ["status", "active_at"], unique=False
    )
    op.create_index(
        "onboarding_unpublished",
        "onboarding",
        ["id"],
        unique=False,
        sqlite_where=sa.text("revision > published_revision"),
        postgresql_where=sa.text("revision > published_revision"),
    )
    op.create_index(
        "one_running_onboarding_per_channel",
        "onboarding",
        ["channel"],
        unique=True,
        sqlite_where=sa.text("status IN ('active', 'paused')"),
        postgresql_where=sa.text("status IN ('active', 'paused')"),
    )

    op.create_table(
        "credential",
        sa.Column("onboarding_id", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("mask", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("submitted_by_user", sa.String(), nullable=False),
        sa.Column("submitted_by_team", sa.String(), nullable=False),
        sa.Column("submitted_by_role", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["onboarding_id"], ["onboarding.id"]),
        sa.PrimaryKeyConstraint("onboarding_id", "field"),
    )
    op.create_index("ix_credential_key_id", "credential", ["key_id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("onboarding_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor_user", sa.String(), nullable=False),
        sa.Column("actor_team", sa.String(), nullable=False),
        sa.Column("actor_role", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announcing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced_ts", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["onboarding_id"], ["onboarding.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("event_onboarding_id_id", "event", ["onboarding_id", "id"], unique=False)

    op.create_table(
        "message",
        sa.Column("onboarding_id", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("posting_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["onboarding_id"], ["onboarding.id"]),
        sa.PrimaryKeyConstraint("onboarding_id", "slot"),
    )
    op.create_table(
        "step",
        sa.Column("onboarding_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by_user", sa.String(), nullable=True),
        sa.Column("by_team", sa.String(), nullable=True),
        sa.Column("by_role", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["onboarding_id"], ["onboarding.id"]),
        sa.PrimaryKeyConstraint("onboarding_id", "number"),
    )
    op.create_table(
        "verification",
        sa.Column("onboarding_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("requested_by_user", sa.String(), nullable=False),
        sa.Column("requested_by_team", sa.String(), nullable=False),
        sa.Column("requested_by_role", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("report", sa.String(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["onboarding_id"], ["onboarding.id"]),
        sa.PrimaryKeyConstraint("onboarding_id", "number"),
    )
    op.create_index("verification_due_at", "verification", ["due_at"], unique=False)


def downgrade() -> None:
    op.drop_index("verification_due_at", "verification")

    op.drop_table("verification")
    op.drop_table("step")
    op.drop_table("message")
    op.drop_index("event_onboarding_id_id", "event")

    op.drop_table("event")
    op.drop_index("ix_credential_key_id", "credential")

    op.drop_table("credential")
    op.drop_index("one_running_onboarding_per_channel", "onboarding")
    op.drop_index("onboarding_unpublished", "onboarding")
    op.drop_index("onboarding_status_active_at", "onboarding")
    op.drop_index("onboarding_channel_started_at", "onboarding")

    op.drop_table("onboarding")
    op.drop_table("guide")
