"""Checks of live clients: weekly, and all at the same time."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision: str | None = "0024"

LIVE = "status = 'completed' AND destroyed_at IS NULL"
INDEXES = {
    "onboarding_next_check": ("next_check", sa.text(LIVE)),
    "onboarding_failing": ("active_at", sa.text(f"{LIVE} AND verification = 'failed'")),
}


def upgrade() -> None:
    for name in ("checked_at", "next_check"):
        op.add_column("onboarding", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name, (column, where) in INDEXES.items():
        op.create_index(name, "onboarding", [column], sqlite_where=where, postgresql_where=where)
    op.add_column(
        "verification",
        sa.Column("recheck", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "check_round",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("running", sa.Boolean(), nullable=True),
        sa.Column("by_user", sa.String(), nullable=False),
        sa.Column("by_team", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clients", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("running"),
    )


def downgrade() -> None:
    op.drop_table("check_round")
    with op.batch_alter_table("verification") as batch:
        batch.drop_column("recheck")
    for name in INDEXES:
        op.drop_index(name, "onboarding")
    with op.batch_alter_table("onboarding") as batch:
        batch.drop_column("next_check")
        batch.drop_column("checked_at")
