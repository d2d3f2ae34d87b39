"""What happens to a channel, and requests that arrive twice."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.add_column("onboarding", sa.Column("loss", sa.String(), nullable=True))
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_delivery_at", "delivery", ["at"])


def downgrade() -> None:
    op.drop_index("ix_delivery_at", "delivery")
    op.drop_table("delivery")
    with op.batch_alter_table("onboarding") as batch:
        batch.drop_column("loss")
