"""Windows that show stored values, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    op.create_table(
        "reveal",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("hide_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_reveal_hide_at", "reveal", ["hide_at"])


def downgrade() -> None:
    op.drop_table("reveal")
