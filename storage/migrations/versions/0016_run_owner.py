"""Which process runs a verification."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision: str | None = "0015"


def upgrade() -> None:
    op.add_column("verification", sa.Column("run_owner", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("verification") as batch:
        batch.drop_column("run_owner")
