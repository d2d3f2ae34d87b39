"""Since when Slack has refused a thread for an unknown reason."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    since = sa.Column("refused_since", sa.DateTime(timezone=True), nullable=True)
    op.add_column("onboarding", since)


def downgrade() -> None:
    with op.batch_alter_table("onboarding") as batch:
        batch.drop_column("refused_since")
