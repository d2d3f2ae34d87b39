"""Count only posted secrets: an ID that was posted need not be replaced."""

import tomllib
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision: str | None = "0019"

ONBOARDING = sa.table(
    "onboarding",
    *(sa.column(name) for name in ("id", "guide", "guide_version", "exposed_values")),
)
CREDENTIAL = sa.table(
    "credential",
    sa.column("onboarding_id"),
    sa.column("field"),
    sa.column("submitted_at", sa.DateTime(timezone=True)),
    sa.column("replaced_at", sa.DateTime(timezone=True)),
)
EVENT = sa.table(
    "event",
    sa.column("onboarding_id"),
    sa.column("kind"),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("detail", sa.JSON()),
)
IS_SECRET = ("secret_pattern", "telltale")  # the key's name, now and before


def upgrade() -> None:
    connection = op.get_bind()
    counted = sa.select(*ONBOARDING.columns).where(ONBOARDING.c.exposed_values > 0)
    for row in connection.execute(counted).all():
        exposed = _exposed(connection, row.id) & _secrets(connection, row.guide, row.guide_version)
        this = ONBOARDING.c.id == row.id
        connection.execute(sa.update(ONBOARDING).where(this).values(exposed_values=len(exposed)))


def downgrade() -> None:
    """An earlier release counts again with the next change."""


def _exposed(connection: sa.Connection, onboarding_id: str) -> set[str]:
    """Return the fields whose stored value was posted since it was entered."""
    stored = sa.select(*CREDENTIAL.columns).where(CREDENTIAL.c.onboarding_id == onboarding_id)
    since: dict[str, datetime] = {
        one.field: one.replaced_at or one.submitted_at for one in connection.execute(stored)
    }
    posted = sa.select(*EVENT.columns).where(
        EVENT.c.onboarding_id == onboarding_id, EVENT.c.kind == "exposed"
    )
    return {
        name
        for one in connection.execute(posted)
        for name in one.detail["fields"]
        if name in since and since[name] <= one.at
    }


def _secrets(connection: sa.Connection, guide: str, version: str) -> set[str]:
    """Return the fields of a guide that must stay secret."""
    found = connection.execute(
        sa.text("SELECT source FROM guide WHERE id = :id AND version = :version"),
        {"id": guide, "version": version},
    ).scalar()
    fields: list[dict[str, Any]] = tomllib.loads(found)["credentials"] if found else []
    return {one["id"] for one in fields if any(key in one for key in IS_SECRET)}
