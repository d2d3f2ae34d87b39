"""When an onboarding was finished, and when its values were destroyed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.add_column("onboarding", sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "onboarding", sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute(
        "UPDATE onboarding SET finished_at = active_at WHERE status IN ('completed', 'cancelled')"
    )
    op.create_index(
        "onboarding_finished_at",
        "onboarding",
        ["finished_at"],
        sqlite_where=sa.text("destroyed_at IS NULL"),
        postgresql_where=sa.text("destroyed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("onboarding_finished_at", "onboarding")
    with op.batch_alter_table("onboarding") as batch:
        batch.drop_column("destroyed_at")
        batch.drop_column("finished_at")
