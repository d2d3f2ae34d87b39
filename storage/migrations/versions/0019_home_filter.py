"""Which onboardings an engineer chose to see on their Home."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision: str | None = "0018"


def upgrade() -> None:
    column = sa.Column("shows", sa.String(), nullable=False, server_default="")
    with op.batch_alter_table("home") as table:
        table.add_column(column)


def downgrade() -> None:
    with op.batch_alter_table("home") as table:
        table.drop_column("shows")
