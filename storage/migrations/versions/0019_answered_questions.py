"""Leave the announcements of questions that were answered earlier as they are."""

from alembic import op

revision = "0019"
down_revision: str | None = "0018"


def upgrade() -> None:
    op.execute(
        "UPDATE event SET announced_ts = '' WHERE kind = 'help_answered' AND announced_ts IS NULL"
    )


def downgrade() -> None:
    """What was never announced needs nothing."""
