"""An index that gives the order of the onboardings in a Home without reading their rows."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision: str | None = "0026"

NAME, RUNNING = "onboarding_running_active", sa.text("status IN ('active', 'paused')")
BEFORE = ["active_at", "id", "client_key", "engineer"]
COLUMNS = [*BEFORE, "exposed_values", "open_questions", "verification", "loss"]


def upgrade() -> None:
    _replace(COLUMNS)


def downgrade() -> None:
    _replace(BEFORE)


def _replace(columns: list[str]) -> None:
    op.drop_index(NAME, "onboarding")
    op.create_index(NAME, "onboarding", columns, sqlite_where=RUNNING, postgresql_where=RUNNING)
