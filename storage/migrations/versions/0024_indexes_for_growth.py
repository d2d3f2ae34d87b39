"""Indexes that keep queries fast as the number of onboardings grows."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision: str | None = "0023"

RUNNING = "status IN ('active', 'paused')"
# Never announced, and most of all events; marked as announced so that the index stays small.
UNANNOUNCED_KINDS = (
    "account_chosen",
    "step_done",
    "step_skipped",
    "step_undone",
    "credential_entered",
    "verification_requested",
    "guide_answered",
    "reminded",
    "snoozed",
    "refused",
)


def upgrade() -> None:
    event = sa.table("event", sa.column("kind"), sa.column("announced_ts"))
    op.execute(
        sa.update(event)
        .where(event.c.announced_ts.is_(None), event.c.kind.in_(UNANNOUNCED_KINDS))
        .values(announced_ts="")
    )
    _create("event_unannounced", "event", ["onboarding_id"], "announced_ts IS NULL")
    op.drop_index("event_onboarding_id_id", "event")
    _create("verification_due", "verification", ["due_at"], "due_at IS NOT NULL")
    op.drop_index("verification_due_at", "verification")
    op.create_index("onboarding_announcement_ts", "onboarding", ["announcement_ts"])
    _create("onboarding_lost", "onboarding", ["loss"], "loss IS NOT NULL")
    ended = "status NOT IN ('active', 'paused')"
    _create("onboarding_ended", "onboarding", ["finished_at", "status"], ended)
    listed = ["active_at", "id", "client_key"]
    _create("onboarding_running_active", "onboarding", [*listed, "engineer"], RUNNING)
    op.drop_index("onboarding_running_active_at", "onboarding")
    op.create_index("onboarding_active", "onboarding", listed)
    op.drop_index("onboarding_active_at", "onboarding")
    unpublished = "revision > published_revision"
    _create("onboarding_unpublished_active_at", "onboarding", ["active_at"], unpublished)
    op.drop_index("onboarding_unpublished", "onboarding")


def downgrade() -> None:
    _create("onboarding_unpublished", "onboarding", ["id"], "revision > published_revision")
    op.drop_index("onboarding_unpublished_active_at", "onboarding")
    op.create_index("onboarding_active_at", "onboarding", ["active_at", "id"])
    op.drop_index("onboarding_active", "onboarding")
    _create("onboarding_running_active_at", "onboarding", ["active_at", "id"], RUNNING)
    for name in ("running_active", "ended", "lost", "announcement_ts"):
        op.drop_index(f"onboarding_{name}", "onboarding")
    op.create_index("verification_due_at", "verification", ["due_at"])
    op.drop_index("verification_due", "verification")
    op.create_index("event_onboarding_id_id", "event", ["onboarding_id", "id"])
    op.drop_index("event_unannounced", "event")


def _create(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
