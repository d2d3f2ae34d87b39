"""Which organization an onboarding belongs to; for older ones, set by whose people act next."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision: str | None = "0012"


def upgrade() -> None:
    op.add_column("onboarding", sa.Column("client_team", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("onboarding") as batch:
        batch.drop_column("client_team")
