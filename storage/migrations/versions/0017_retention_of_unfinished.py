"""When to check the values of an inactive onboarding again."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision: str | None = "0016"


def upgrade() -> None:
    at = sa.Column("retention_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("onboarding", at)


def downgrade() -> None:
    with op.batch_alter_table("onboarding") as batch:
        batch.drop_column("retention_at")
