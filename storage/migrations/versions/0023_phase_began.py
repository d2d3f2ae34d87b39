"""When the current phase began, for the guide's targets."""

import tomllib

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision: str | None = "0022"

BEGAN = sa.text(
    "UPDATE onboarding SET phase_at = coalesce("
    "(SELECT max(step.at) FROM step WHERE step.onboarding_id = onboarding.id"
    " AND step.number < :first), started_at) "
    "WHERE guide = :guide AND guide_version = :version"
    " AND current_step BETWEEN :first AND :last"
)
BEGAN_AGAIN = sa.text(
    "UPDATE onboarding SET phase_at = (SELECT max(event.at) FROM event"
    " WHERE event.onboarding_id = onboarding.id AND event.kind IN ('resumed', 'step_undone')) "
    "WHERE phase_at < (SELECT max(event.at) FROM event"
    " WHERE event.onboarding_id = onboarding.id AND event.kind IN ('resumed', 'step_undone'))"
)


def upgrade() -> None:
    op.add_column("onboarding", sa.Column("phase_at", sa.DateTime(timezone=True), nullable=True))
    connection = op.get_bind()
    for guide, version, source in connection.execute(
        sa.text("SELECT id, version, source FROM guide")
    ).all():
        last = 0
        for phase in tomllib.loads(source)["phases"]:
            first, last = last + 1, last + len(phase["steps"])
            of = {"guide": guide, "version": version, "first": first, "last": last}
            connection.execute(BEGAN, of)
    connection.execute(BEGAN_AGAIN)


def downgrade() -> None:
    op.drop_column("onboarding", "phase_at")
