"""Summaries of histories for reports, computed when a report first needs them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision: str | None = "0025"


def upgrade() -> None:
    op.create_table(
        "summary",
        sa.Column("onboarding_id", sa.String(), sa.ForeignKey("onboarding.id"), nullable=False),
        sa.Column("history_length", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("figures", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("onboarding_id"),
    )


def downgrade() -> None:
    op.drop_table("summary")
