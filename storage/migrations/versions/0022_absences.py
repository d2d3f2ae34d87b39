"""Engineers who are away, and which onboardings colleagues cover for them."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision: str | None = "0021"


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("engineer", sa.String(), nullable=False),
        sa.Column("colleague", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("engineer"),
    )
    op.add_column("onboarding", sa.Column("covers_for", sa.String(), nullable=True))
    covered = sa.text("covers_for IS NOT NULL")
    op.create_index(
        "onboarding_covers_for",
        "onboarding",
        ["covers_for"],
        sqlite_where=covered,
        postgresql_where=covered,
    )


def downgrade() -> None:
    op.drop_index("onboarding_covers_for", "onboarding")
    op.drop_column("onboarding", "covers_for")
    op.drop_table("absence")
