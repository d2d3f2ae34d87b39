"""Keyed digests to recognize values in a message. `keys rotate` fills in old rows."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.add_column("credential", sa.Column("fingerprint", sa.String(), nullable=True))
    op.create_index("ix_credential_fingerprint", "credential", ["fingerprint"])


def downgrade() -> None:
    op.drop_index("ix_credential_fingerprint", "credential")
    with op.batch_alter_table("credential") as batch:
        batch.drop_column("fingerprint")
